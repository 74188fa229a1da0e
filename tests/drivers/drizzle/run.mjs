#!/usr/bin/env node
// Drizzle through the proxy, with its defaults: on node-postgres, and on postgres.js, where every query has a name.
//
// Prints `ok NAME` or `FAILED NAME: why` for each check; ends with status 1 if one failed.
import assert from 'node:assert/strict';
import { eq, sql } from 'drizzle-orm';
import { drizzle as onNodePostgres } from 'drizzle-orm/node-postgres';
import { migrate as migrateNodePostgres } from 'drizzle-orm/node-postgres/migrator';
import { date, integer, jsonb, numeric, pgTable, serial, text } from 'drizzle-orm/pg-core';
import { drizzle as onPostgresJs } from 'drizzle-orm/postgres-js';
import { migrate as migratePostgresJs } from 'drizzle-orm/postgres-js/migrator';
import { relations } from 'drizzle-orm/relations';
import pg from 'pg';
import postgres from 'postgres';
import { assertShared, clients, countServers, inSessionPool, manyTimes, run, servers, tls, world } from '../checks.mjs';

const authors = pgTable('authors', { id: serial().primaryKey(), name: text().notNull().unique() });
const books = pgTable('books', {
    id: serial().primaryKey(), authorId: integer('author_id').notNull().references(() => authors.id), title: text(),
    price: numeric({ precision: 12, scale: 2 }), printed: date(), tags: text().array(), facts: jsonb(), sold: integer().notNull().default(0),
});
const schema = {
    authors, books,
    authorsHave: relations(authors, ({ many }) => ({ books: many(books) })),
    booksHave: relations(books, ({ one }) => ({ author: one(authors, { fields: [books.authorId], references: [authors.id] }) })),
};

const pool = (max) => new pg.Pool({ ...world, ssl: tls, max });
const postgresJs = (max) => postgres({ ...world, username: world.user, ssl: tls, max, onnotice: () => {} });

// Rolls back and comes out again: what a transaction throws.
class Mine extends Error {}

// Drivers' own errors are the cause of Drizzle's.
const fails = (work, code) => assert.rejects(work, (error) => (error.cause ?? error).code === code);

function checksOf(name, database, migrate, finish) {
    return {
        [`${name}: migrations run once`]: async () => {
            await migrate(database, { migrationsFolder: './migrations' });
            await migrate(database, { migrationsFolder: './migrations' });
            await database.execute(sql`truncate authors, books`);
        },

        [`${name}: many write and read in transactions`]: async () => {
            await manyTimes(clients, async (number) => {
                await database.transaction(async (inside) => {
                    const [{ id }] = await inside.insert(authors).values({ name: `author ${number}` }).returning();
                    await inside.insert(books).values(Array.from({ length: 10 }, (_, n) => ({ authorId: id, title: `book ${n}`, price: '12.75',
                        printed: '2024-02-29', tags: ['a,b', '"'], facts: { 'é': [null, n] } })));
                    await fails(inside.transaction((inner) => inner.insert(authors).values({ name: `author ${number}` })), '23505');
                });
                const author = await database.query.authors.findFirst({ where: eq(authors.name, `author ${number}`), with: { books: { orderBy: books.id } } });
                const { title, price, printed, tags, facts } = author.books[3];
                assert.deepEqual({ title, price, printed, tags, facts }, { title: 'book 3', price: '12.75', printed: '2024-02-29', tags: ['a,b', '"'], facts: { 'é': [null, 3] } });
            });
            assert.equal(await database.$count(books), 10 * clients);
        },

        [`${name}: an exception rolls back`]: () => manyTimes(clients, async (number) => {
            await assert.rejects(database.transaction(async (inside) => {
                await inside.insert(authors).values({ name: `lost ${number}` });
                throw new Mine();
            }, { isolationLevel: 'serializable' }), Mine);
            assert.equal(await database.$count(authors, eq(authors.name, `lost ${number}`)), 0);
        }),

        [`${name}: a statement prepared by name is found again`]: () => {
            const prepared = database.query.authors.findFirst({ where: eq(authors.name, sql.placeholder('name')) }).prepare('by_name');
            return manyTimes(clients, async (number) => {
                for (let turn = 0; turn < 10; turn++) assert.equal((await prepared.execute({ name: `author ${number}` })).name, `author ${number}`);
            });
        },

        [`${name}: what many add is there once`]: async () => {
            const [{ id }] = await database.select().from(books).limit(1);
            await manyTimes(clients, () => database.transaction(async (inside) => {
                const [book] = await inside.select().from(books).where(eq(books.id, id)).for('update');
                await inside.update(books).set({ sold: book.sold + 1 }).where(eq(books.id, id));
            }));
            assert.equal((await database.select().from(books).where(eq(books.id, id)))[0].sold, clients);
            await finish();                              // a session pool's servers are the next one's then
        },
    };
}

const nodePool = pool(clients), jsPool = postgresJs(clients);
await run({
    ...checksOf('node-postgres', onNodePostgres(nodePool, { schema }), migrateNodePostgres, () => nodePool.end()),
    ...checksOf('postgres.js', onPostgresJs(jsPool, { schema }), migratePostgresJs, () => jsPool.end()),

    ...(inSessionPool ? {} : { 'servers are shared': async () => {
        const all = await manyTimes(clients, async () => { const one = pool(1); await one.query('select 1'); return one; });
        assertShared(await Promise.all(all.map(async (one) => (await onNodePostgres(one).execute(sql`select pg_backend_pid() as pid`)).rows[0].pid)));
        assert.ok((await all[0].query(countServers)).rows[0].n <= servers);
        await Promise.all(all.map((one) => one.end()));
    } }),
});
