#!/usr/bin/env node
// Prisma 6 through the proxy, with its defaults (its adapter on node-postgres); tables by SQL, see build.sh.
//
// Prints `ok NAME` or `FAILED NAME: why` for each check; ends with status 1 if one failed.
import assert from 'node:assert/strict';
import { PrismaPg } from '@prisma/adapter-pg';
import { PrismaClient } from '@prisma/client';
import { clients, countServers, inSessionPool, manyTimes, run, servers, tls, world } from '../checks.mjs';

const open = (max) => new PrismaClient({
    adapter: new PrismaPg({ ...world, ssl: tls, max }), transactionOptions: { maxWait: 90000, timeout: 90000 },
});
const prisma = open(clients);

const tables = [
    'create table "Author" (id serial primary key, name text not null unique)',
    `create table "Book" (id serial primary key, "authorId" int not null references "Author" (id), title text not null,
        price numeric(65, 30) not null, printed date, tags text[], facts jsonb not null, sold int not null default 0)`,
];

await run({
    'tables are made': async () => {
        for (const table of tables) await prisma.$executeRawUnsafe(table);
    },

    'many write and read in transactions': async () => {
        await manyTimes(clients, async (number) => {
            await prisma.$transaction(async (inside) => {
                const author = await inside.author.create({ data: { name: `author ${number}` } });
                await inside.book.createMany({ data: Array.from({ length: 10 }, (_, n) => ({ authorId: author.id, title: `book ${n}`,
                    price: '12.5', printed: new Date('2024-02-29'), tags: ['a,b', '"'], facts: { 'é': [null, n] } })) });
            });
            const author = await prisma.author.findUnique({ where: { name: `author ${number}` }, include: { books: { orderBy: { id: 'asc' } } } });
            const { title, price, printed, tags, facts } = author.books[3];
            assert.deepEqual({ title, price: price.toString(), printed, tags, facts },
                { title: 'book 3', price: '12.5', printed: new Date('2024-02-29'), tags: ['a,b', '"'], facts: { 'é': [null, 3] } });
            assert.equal(author.books.length, 10);
        });
        assert.equal(await prisma.book.count(), 10 * clients);
    },

    'errors roll back': () => manyTimes(clients, async (number) => {
        await assert.rejects(prisma.$transaction([
            prisma.author.create({ data: { name: `lost ${number}` } }),
            prisma.author.create({ data: { name: `author ${number}` } }),
        ]), { code: 'P2002' });
        await assert.rejects(prisma.$transaction(async (inside) => {
            await inside.author.create({ data: { name: `lost ${number}` } });
            throw new RangeError('mine');
        }, { isolationLevel: 'Serializable' }), RangeError);
        assert.equal(await prisma.author.count({ where: { name: `lost ${number}` } }), 0);
    }),

    'what many add is there once': async () => {
        const { id } = await prisma.book.findFirst();
        await manyTimes(clients, async () => {
            await prisma.book.update({ where: { id }, data: { sold: { increment: 1 } } });
            await prisma.$executeRaw`update "Book" set sold = sold + ${2}::int where id = ${id}`;
        });
        assert.equal((await prisma.book.findUnique({ where: { id } })).sold, 3 * clients);
    },

    'nested writes are one transaction': async () => {
        const data = { name: 'nested', books: { create: [{ title: 'one', price: 1, tags: [], facts: {} }, { title: 'two', price: 2, tags: [], facts: {} }] } };
        await prisma.author.create({ data });
        await assert.rejects(prisma.author.create({ data }), { code: 'P2002' });
        assert.deepEqual((await prisma.book.groupBy({ by: ['authorId'], where: { author: { name: 'nested' } }, _sum: { price: true } }))[0]._sum.price.toString(), '3');
    },

    ...(inSessionPool ? {} : { 'servers are shared': async () => {
        const all = await manyTimes(clients, async () => { const one = open(1); await one.$queryRaw`select 1`; return one; });
        const pids = await Promise.all(all.map(async (one) => (await one.$queryRaw`select pg_backend_pid() as pid`)[0].pid));
        assert.ok(pids.length > servers && new Set(pids).size <= servers);
        assert.ok((await all[0].$queryRawUnsafe(countServers))[0].n <= servers);
        await manyTimes(clients, (n) => all[n].$disconnect());
    } }),
});
