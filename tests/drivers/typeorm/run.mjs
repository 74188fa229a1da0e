#!/usr/bin/env node
// TypeORM through the proxy, with its defaults (on node-postgres).
//
// Prints `ok NAME` or `FAILED NAME: why` for each check; ends with status 1 if one failed.
import 'reflect-metadata';
import assert from 'node:assert/strict';
import { DataSource, EntitySchema, QueryFailedError } from 'typeorm';
import { clients, countServers, inSessionPool, manyTimes, run, servers, tls, world } from '../checks.mjs';

const Author = new EntitySchema({
    name: 'author',
    columns: { id: { type: 'int', primary: true, generated: true }, name: { type: 'text', unique: true } },
    relations: { books: { type: 'one-to-many', target: 'book', inverseSide: 'author', cascade: true } },
});
const Book = new EntitySchema({
    name: 'book',
    columns: {
        id: { type: 'int', primary: true, generated: true }, title: { type: 'text' }, price: { type: 'numeric', precision: 12, scale: 2 },
        printed: { type: 'date', nullable: true }, tags: { type: 'text', array: true }, facts: { type: 'jsonb' },
        sold: { type: 'int', default: 0 }, made: { type: 'timestamptz', createDate: true },
    },
    relations: { author: { type: 'many-to-one', target: 'author', inverseSide: 'books' } },
});

class AddShelf1700000000000 {
    async up(runner) { await runner.query('alter table book add shelf int'); await runner.query('update book set shelf = 7'); }
    async down(runner) { await runner.query('alter table book drop shelf'); }
}

const source = (max) => new DataSource({
    type: 'postgres', ...world, username: world.user, ssl: tls, entities: [Author, Book], migrations: [AddShelf1700000000000], extra: { max },
});
const database = await source(clients).initialize();
const [authors, books] = [database.getRepository(Author), database.getRepository(Book)];

const someBooks = () => Array.from({ length: 10 }, (_, n) => ({ title: `book ${n}`, price: '12.50', printed: '2024-02-29', tags: ['a,b', '"'], facts: { 'é': [null, n] } }));

await run({
    'tables are made and found to be right': async () => {
        await database.synchronize();
        assert.equal((await database.driver.createSchemaBuilder().log()).upQueries.length, 0);
    },

    'many write and read in transactions': async () => {
        await manyTimes(clients, async (number) => {
            await database.transaction(async (manager) => {
                await manager.save(Author, { name: `author ${number}`, books: someBooks() });
                await assert.rejects(manager.transaction((inner) => inner.insert(Author, { name: `author ${number}` })), QueryFailedError);
                assert.equal(await manager.countBy(Author, { name: `author ${number}` }), 1);
            });
            const author = await authors.findOne({ where: { name: `author ${number}` }, relations: { books: true }, order: { books: { id: 'asc' } } });
            const { title, price, printed, tags, facts } = author.books[3];
            assert.deepEqual({ title, price, printed, tags, facts }, { title: 'book 3', price: '12.50', printed: '2024-02-29', tags: ['a,b', '"'], facts: { 'é': [null, 3] } });
            assert.equal(author.books.length, 10);
        });
        assert.equal(await books.count(), 10 * clients);
    },

    'an exception rolls back': () => manyTimes(clients, async (number) => {
        await assert.rejects(database.transaction('SERIALIZABLE', async (manager) => {
            await manager.insert(Author, { name: `lost ${number}` });
            throw new RangeError('mine');
        }), RangeError);
        assert.equal(await authors.countBy({ name: `lost ${number}` }), 0);
    }),

    'what many add is there once': async () => {
        const [{ id }] = await books.find({ take: 1 });
        await manyTimes(clients, async () => {
            await books.increment({ id }, 'sold', 1);
            await database.transaction(async (manager) => {
                const book = await manager.findOne(Book, { where: { id }, lock: { mode: 'pessimistic_write' } });
                await manager.update(Book, { id }, { sold: book.sold + 1 });
            });
        });
        assert.equal(await books.sum('sold'), 2 * clients);
    },

    'migrations run forwards and backwards': async () => {
        await database.runMigrations();
        assert.equal((await database.query('select sum(shelf)::int as n from book'))[0].n, 70 * clients);
        await database.undoLastMigration();
        await assert.rejects(database.query('select shelf from book'), { code: '42703' });
    },

    'a query is built and read page by page': async () => {
        let seen = 0;
        for (let page = 0; ; page++) {
            const rows = await books.createQueryBuilder('b').innerJoinAndSelect('b.author', 'a').where('a.name like :name', { name: 'author%' })
                .orderBy('b.id').skip(page * 17).take(17).getMany();
            if (rows.length === 0) break;
            seen += rows.length;
        }
        assert.equal(seen, 10 * clients);
    },

    ...(inSessionPool ? {} : { 'servers are shared': async () => {
        const pids = await manyTimes(clients, async () => (await database.query('select pg_backend_pid() as pid, pg_sleep(0.05)'))[0].pid);
        assert.ok(database.driver.master.totalCount > servers, 'fewer clients than servers');
        assert.ok(new Set(pids).size <= servers);
        assert.ok((await database.query(countServers))[0].n <= servers);
    } }),
});
