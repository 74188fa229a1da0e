#!/usr/bin/env node
// postgres.js through the proxy, with its defaults: named statements, several queries on their way at once.
//
// Prints `ok NAME` or `FAILED NAME: why` for each check; ends with status 1 if one failed.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import postgres from 'postgres';
import { assertShared, clients, countPrepared, countServers, inSessionPool, manyTimes, run, servers, tls, world } from '../checks.mjs';

// A pool of the driver's own of `max` connections; work gets all of it.
async function withPool(max, work) {
    const sql = postgres({ ...world, username: world.user, ssl: tls, max, onnotice: () => {} });
    try { return await work(sql); } finally { await sql.end(); }
}
const withClient = (work) => withPool(1, work);
const onManyClients = (work) => manyTimes(clients, (number) => withClient((sql) => work(sql, number)));

await run({
    'each client gets its own answers': () => onManyClients(async (sql, number) => {
        for (let turn = 0; turn < 40; turn++) {
            const [row] = await sql`select ${number * 1000 + turn}::int as a, ${`c${number}`}::text as b`;
            assert.deepEqual({ ...row }, { a: number * 1000 + turn, b: `c${number}` });
        }
        await sql.begin(async (block) => {    // the server that has just run one, not one that is new
            await block`select ${1}::int as a, ${'x'}::text as b`;
            assert.ok((await block.unsafe(countPrepared))[0].n >= 1);
        });
    }),

    'queries sent without waiting are answered in order': () => onManyClients(async (sql, number) => {
        const got = await manyTimes(200, async (n) => (await sql`select ${number * 1000 + n}::int as n`)[0].n);
        assert.deepEqual(got, Array.from({ length: 200 }, (_, n) => number * 1000 + n));
    }),

    'transactions commit and roll back': async () => {
        await withClient((sql) => sql`create table kept (n int)`);
        await onManyClients(async (sql, number) => {
            await sql.begin(async (inside) => {
                const [first] = await inside`select pg_backend_pid() as pid, txid_current()::text as id`;
                await inside`insert into kept values (${number})`;
                await assert.rejects(inside.savepoint(async (deeper) => {
                    await deeper`insert into kept values (-1)`;
                    await deeper`select 1 / ${0}::int`;
                }), { code: '22012' });
                assert.deepEqual((await inside`select pg_backend_pid() as pid, txid_current()::text as id`)[0], first);
            });
            await assert.rejects(sql.begin(async (inside) => {
                await inside`insert into kept values (-2)`;
                throw new RangeError('mine');
            }), RangeError);
        });
        const [{ all }] = await withClient((sql) => sql`select array_agg(n order by n) as all from kept`);
        assert.deepEqual(all, Array.from({ length: clients }, (_, n) => n));
    },

    'an error among others reaches its own query only': () => onManyClients(async (sql, number) => {
        const got = await Promise.allSettled(Array.from({ length: 60 }, (_, n) => sql`select ${number + 1}::int / ${n % 10}::int as n`));
        got.forEach(({ status, value, reason }, n) => {
            if (n % 10 === 0) assert.equal(reason.code, '22012');
            else assert.deepEqual([status, value[0].n], ['fulfilled', Math.floor((number + 1) / (n % 10))]);
        });
    }),

    'values arrive unchanged': () => withClient(async (sql) => {
        const day = new Date('2024-02-29T23:59:59.999Z'), text = 'wéir\n'.repeat(400000), bytes = Buffer.alloc(2000000, 'ÿ\0a', 'latin1');
        const [row] = await sql`select ${null}::int as nothing, ${[1, -2, 3]}::int[] as numbers, ${['a,b', '"', '']}::text[] as texts,
            ${day}::timestamptz as day, ${'12345678901234567890.123456789'}::numeric as exact, ${text}::text as text,
            ${bytes}::bytea as bytes, ${sql.json({ a: [1, 'é'] })}::jsonb as json`;
        assert.deepEqual({ ...row }, { nothing: null, numbers: [1, -2, 3], texts: ['a,b', '"', ''], day,
            exact: '12345678901234567890.123456789', text, bytes, json: { a: [1, 'é'] } });
    }),

    'copy in and out agree': () => withClient((sql) => sql.begin(async (inside) => {
        const text = Array.from({ length: 3000 }, (_, n) => `${n}\t${'x'.repeat(n % 500)}\t${n % 7 ? '\\N' : n}\n`).join('');
        await inside`create temp table copied (n int, t text, m int) on commit drop`;
        await pipeline(Readable.from([text]), await inside`copy copied from stdin`.writable());
        const out = await inside`copy (select * from copied order by n) to stdout`.readable();
        let back = '';
        out.on('data', (piece) => { back += piece; });      // `for await` destroys the stream, after which the driver hangs
        await once(out, 'end');
        assert.equal(back, text);
    })),

    'a cursor reads part by part': () => onManyClients(async (sql) => {
        let sum = 0;
        for await (const rows of sql`select n from generate_series(1, 1000) n`.cursor(70)) sum += rows.reduce((total, { n }) => total + n, 0);
        assert.equal(sum, 500500);
    }),

    'a cancel ends its own query only': () => onManyClients(async (sql, number) => {
        if (number) {
            for (let turn = 0; turn < 20; turn++) assert.equal((await sql`select ${turn}::int as n, pg_sleep(0.01)`)[0].n, turn);
            return;
        }
        const query = sql`select pg_sleep(60)`;
        setTimeout(() => query.cancel(), 500);
        await assert.rejects(query, { code: '57014' });
        assert.equal((await sql`select 4 as n`)[0].n, 4);
    }),

    'many rows are inserted at once': () => withClient(async (sql) => {
        await sql`create table many (n int, t text)`;
        await sql`insert into many ${sql(Array.from({ length: 2000 }, (_, n) => ({ n, t: `t${n}` })))}`;
        assert.deepEqual({ ...(await sql`select count(*)::int as rows, sum(n)::int as sum from many where n in ${sql([1, 5, 1999])}`)[0] }, { rows: 3, sum: 2005 });
    }),

    "the driver's own pool works on top": () => withPool(clients, async (sql) => {
        const got = await manyTimes(300, async (n) => (await sql`select ${n}::int as n`)[0].n);
        assert.deepEqual(got, Array.from({ length: 300 }, (_, n) => n));
    }),

    [inSessionPool ? 'notifications arrive' : 'servers are shared']: inSessionPool
        ? () => withPool(2, async (sql) => {
            let told;
            const news = new Promise((resolve) => { told = resolve; });
            await sql.listen('news', told);
            await sql.notify('news', 'flood');
            assert.equal(await news, 'flood');
        })
        : () => manyTimes(clients, async () => {
            const sql = postgres({ ...world, username: world.user, ssl: tls, max: 1 });
            return { sql, pid: (await sql`select pg_backend_pid() as pid`)[0].pid };
        }).then(async (all) => {
            assertShared(all.map(({ pid }) => pid));
            assert.ok((await all[0].sql.unsafe(countServers))[0].n <= servers);
            await Promise.all(all.map(({ sql }) => sql.end()));
        }),
});
