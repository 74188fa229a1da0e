#!/usr/bin/python3
"""SQLAlchemy through the proxy, with its defaults: on psycopg2, and on asyncpg, with its pools; Alembic's migrations.

Prints `ok NAME` or `FAILED NAME: why` for each check; ends with status 1 if one failed.
"""
import asyncio
import datetime
import decimal
import os
import ssl
import sys
import threading

import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import Session, declarative_base, relationship, selectinload

sys.path.append(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from checks import CA_FILE, CLIENTS, COUNT_SERVERS, IN_SESSION_POOL, SERVERS, URL_HOST, on_many_clients, run  # noqa: E402

Base = declarative_base()


class Author(Base):
    __tablename__ = "authors"
    id = sa.Column(sa.Integer, primary_key=True)
    name = sa.Column(sa.Text, nullable=False, unique=True)
    books = relationship("Book", back_populates="author", cascade="all, delete-orphan")


class Book(Base):
    __tablename__ = "books"
    id = sa.Column(sa.Integer, primary_key=True)
    author_id = sa.Column(sa.ForeignKey("authors.id"), nullable=False)
    author = relationship("Author", back_populates="books")
    title = sa.Column(sa.Text)
    price = sa.Column(sa.Numeric(20, 4))
    printed = sa.Column(sa.Date)
    tags = sa.Column(ARRAY(sa.Text))
    facts = sa.Column(JSONB)


# A half of them in the engine's pool, the others beyond it; a session pool's servers are shared by the two engines.
engine = sa.create_engine(f"postgresql+psycopg2://{URL_HOST}", pool_size=CLIENTS // 2, max_overflow=CLIENTS - CLIENTS // 2,
                          pool_timeout=90)
connection_tls = {"ssl": ssl.create_default_context(cafile=CA_FILE)} if CA_FILE else {}


def create_asynchronous(**options):
    return create_async_engine(f"postgresql+asyncpg://{URL_HOST}", connect_args=connection_tls, pool_timeout=90, **options)


def book(number, turn):
    return Book(title=f"book {turn} of {number}", price=decimal.Decimal("12.5000"), printed=datetime.date(2024, 2, 29),
                tags=["a,b", None, '"'], facts={"turn": turn, "é": [None, 1.5]})


def tables_are_made_and_seen():
    Base.metadata.create_all(engine)
    Base.metadata.create_all(engine)                     # the second time it only looks
    assert sorted(sa.inspect(engine).get_table_names()) == ["authors", "books"]


def many_write_and_read_in_transactions():
    def work(number):
        with Session(engine) as session:
            session.add(Author(name=f"author {number}", books=[book(number, turn) for turn in range(10)]))
            session.commit()
            author = session.execute(sa.select(Author).where(Author.name == f"author {number}")).scalar_one()
            assert [one.title for one in sorted(author.books, key=lambda one: one.id)] == [f"book {n} of {number}" for n in range(10)]
            one = author.books[0]
            assert (one.price, one.printed, one.tags) == (decimal.Decimal("12.5000"), datetime.date(2024, 2, 29), ["a,b", None, '"'])
            assert one.facts["é"] == [None, 1.5]
            one.title = "changed"
            session.delete(author.books[1])
            session.commit()

    on_many_clients(work)
    with Session(engine) as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Book)) == 9 * CLIENTS
        assert session.scalar(sa.select(sa.func.count()).where(Book.title == "changed")) == CLIENTS


def errors_roll_back():
    def work(number):
        with Session(engine) as session:
            session.add(Author(name=f"author {number}"))
            try:
                session.commit()
                raise AssertionError("no error came")
            except sa.exc.IntegrityError:
                session.rollback()
            session.add(Author(name=f"lost {number}"))
            session.flush()
            try:
                with session.begin_nested():
                    session.add(Author(name=f"author {number}"))
            except sa.exc.IntegrityError:
                pass
            session.add(Author(name=f"second {number}"))
            session.flush()
            session.rollback()

    on_many_clients(work)
    with Session(engine) as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Author)) == CLIENTS


def results_are_streamed():
    with engine.connect() as connection:
        rows = connection.execution_options(stream_results=True).execute(sa.text("select n from generate_series(1, 3000) n"))
        assert sum(row[0] for row in rows) == 4501500


def migrations_change_tables():
    with engine.begin() as connection:
        operations = Operations(MigrationContext.configure(connection))
        operations.add_column("authors", sa.Column("born", sa.Integer(), server_default="1900"))
        operations.create_index("authors_born", "authors", ["born"])
    with engine.connect() as connection:
        assert connection.scalar(sa.text("select sum(born) from authors")) == 1900 * CLIENTS
    engine.dispose()                                     # its servers are the next engine's now


async def asyncpg_writes_and_reads_in_transactions():
    asynchronous = create_asynchronous(pool_size=CLIENTS // 2, max_overflow=CLIENTS - CLIENTS // 2)

    async def work(number):
        async with AsyncSession(asynchronous) as session:
            async with session.begin():
                session.add(Author(name=f"asynchronous {number}", books=[book(number, turn) for turn in range(10)]))
            query = sa.select(Author).where(Author.name == f"asynchronous {number}").options(selectinload(Author.books))
            for _ in range(5):
                async with session.begin():
                    author = (await session.execute(query)).scalar_one()
                    assert len(author.books) == 10 and author.books[3].tags == ["a,b", None, '"']
            try:
                async with session.begin():
                    session.add(Author(name=f"author {number}"))
                raise AssertionError("no error came")
            except sa.exc.IntegrityError:
                pass

    await asyncio.gather(*(work(number) for number in range(CLIENTS)))
    async with asynchronous.connect() as connection:
        count = await connection.scalar(sa.text("select count(*) from books b join authors a on a.id = author_id where name like 'asyn%'"))
        assert count == 10 * CLIENTS
        opened = await connection.scalar(sa.text(COUNT_SERVERS))
        assert opened <= SERVERS and asynchronous.pool.checkedin() + asynchronous.pool.checkedout() >= CLIENTS // 2
    await asynchronous.dispose()


async def asyncpg_sees_a_changed_table():
    """The engine prepares everything; a server plans anew, or says so and the engine tells why."""
    asynchronous = create_asynchronous()
    async with asynchronous.begin() as connection:
        await connection.execute(sa.text("create table changing (a int)"))
        await connection.execute(sa.text("insert into changing values (1)"))
        await connection.execute(sa.text("alter table changing add b int default 2"))
        assert tuple((await connection.execute(sa.text("select * from changing"))).one()) == (1, 2)
    await asynchronous.dispose()


def servers_are_shared():
    together = threading.Barrier(CLIENTS)

    def work(number):
        with engine.connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT")
            together.wait(60)
            pid = connection.scalar(sa.text("select pg_backend_pid()"))
            together.wait(60)
            return pid

    assert len(set(on_many_clients(work))) <= SERVERS
    engine.dispose()


run([
    tables_are_made_and_seen,
    many_write_and_read_in_transactions,
    errors_roll_back,
    results_are_streamed,
    migrations_change_tables,
    asyncpg_writes_and_reads_in_transactions,
    asyncpg_sees_a_changed_table,
    *([] if IN_SESSION_POOL else [servers_are_shared]),
])
