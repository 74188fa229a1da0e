#!/usr/bin/python3
"""Django through the proxy, with its defaults (psycopg2): migrations, models, transactions, server-side cursors.

Prints `ok NAME` or `FAILED NAME: why` for each check; ends with status 1 if one failed.
"""
import datetime
import decimal
import os
import sys
import threading

import django
from django.conf import settings

sys.path.append(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from checks import CA_FILE, CLIENTS, COUNT_SERVERS, DATABASE, IN_SESSION_POOL, PASSWORD, PROXY_PORT, SERVERS, on_many_clients, run  # noqa: E402

settings.configure(
    INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "library"],
    DATABASES={"default": {"ENGINE": "django.db.backends.postgresql", "HOST": "127.0.0.1", "PORT": PROXY_PORT, "NAME": DATABASE,
                           "USER": "app", "PASSWORD": PASSWORD,
                           "OPTIONS": {"sslmode": "verify-full", "sslrootcert": CA_FILE} if CA_FILE else {}}},
    USE_TZ=True,
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
)
django.setup()

from django.contrib.auth.models import User                         # noqa: E402 - models need the settings first
from django.core.management import call_command                     # noqa: E402
from django.db import IntegrityError, connection, transaction       # noqa: E402
from django.db.models import Count, F, Sum                          # noqa: E402
from library.models import Author, Book                             # noqa: E402


def closing(work):
    """A thread of Django's keeps its connection until it is told otherwise."""
    def with_connection(number):
        try:
            return work(number)
        finally:
            connection.close()

    return with_connection


def migrations_run_forwards_and_backwards():
    call_command("migrate", verbosity=0)
    call_command("migrate", "library", "0001", verbosity=0)
    call_command("migrate", verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute("select count(*) from information_schema.columns where table_name = 'library_book' and column_name = 'sold'")
        assert cursor.fetchone() == (1,)


def many_write_and_read_in_transactions():
    def work(number):
        with transaction.atomic():
            author = Author.objects.create(name=f"author {number}", born=datetime.date(1960, 2, 29))
            Book.objects.bulk_create([Book(author=author, title=f"book {n}", price=decimal.Decimal("12.50"), tags=["a,b", '"'],
                                           facts={"é": [None, n]}) for n in range(10)])
            try:
                with transaction.atomic():               # a savepoint
                    Author.objects.create(name=f"author {number}", born=None)
            except IntegrityError:
                pass
        found = Book.objects.select_related("author").filter(author__name=f"author {number}").order_by("id")
        assert [one.title for one in found] == [f"book {n}" for n in range(10)]
        assert (found[3].tags, found[3].facts, found[3].price) == (["a,b", '"'], {"é": [None, 3]}, decimal.Decimal("12.50"))
        assert found[0].author.born == datetime.date(1960, 2, 29)

    on_many_clients(closing(work))
    assert Author.objects.annotate(books=Count("book")).filter(books=10).count() == CLIENTS


def an_exception_rolls_back():
    def work(number):
        try:
            with transaction.atomic():
                Author.objects.create(name=f"lost {number}", born=None)
                raise ZeroDivisionError
        except ZeroDivisionError:
            pass
        assert not Author.objects.filter(name=f"lost {number}").exists()

    on_many_clients(closing(work))


def what_many_add_is_there_once():
    first = Book.objects.order_by("id").first()
    connection.close()

    def work(number):
        for _ in range(5):
            Book.objects.filter(pk=first.pk).update(sold=F("sold") + 1)
            with transaction.atomic():
                locked = Book.objects.select_for_update().get(pk=first.pk)
                locked.sold += 1
                locked.save()

    on_many_clients(closing(work))
    assert Book.objects.aggregate(all=Sum("sold"))["all"] == 10 * CLIENTS


def users_are_made_and_authenticated():
    User.objects.create_user("reader", "reader@example.com", "password of a reader")
    assert User.objects.get(username="reader").check_password("password of a reader")


def an_iterator_within_a_transaction_reads_all():
    with transaction.atomic():
        assert sum(1 for _ in Book.objects.all().iterator(chunk_size=17)) == 10 * CLIENTS


def an_iterator_outside_of_one_reads_all():
    """Django declares the cursor WITH HOLD and reads on in further transactions: for a server of one's own. In transaction
    pooling Django's manual wants DISABLE_SERVER_SIDE_CURSORS."""
    assert sum(1 for _ in Book.objects.all().iterator(chunk_size=17)) == 10 * CLIENTS


def servers_are_shared():
    together = threading.Barrier(CLIENTS)

    def work(number):
        connection.ensure_connection()
        together.wait(60)
        with connection.cursor() as cursor:
            cursor.execute("select pg_backend_pid()")
            pid = cursor.fetchone()[0]
            cursor.execute(COUNT_SERVERS)
            assert cursor.fetchone()[0] <= SERVERS
        together.wait(60)
        return pid

    assert len(set(on_many_clients(closing(work)))) <= SERVERS


def apart(check):
    """A session pool has as many servers as a check has clients: the main thread gives its own back before each."""
    def with_no_connection():
        connection.close()
        check()

    with_no_connection.__name__ = check.__name__
    return with_no_connection


run([apart(check) for check in [
    migrations_run_forwards_and_backwards,
    many_write_and_read_in_transactions,
    an_exception_rolls_back,
    what_many_add_is_there_once,
    users_are_made_and_authenticated,
    an_iterator_within_a_transaction_reads_all,
    an_iterator_outside_of_one_reads_all if IN_SESSION_POOL else servers_are_shared,
]])
