#!/usr/bin/env -S node --no-deprecation
// node-postgres through the proxy, more clients than servers.
//
// Prints `ok NAME` or `FAILED NAME: why` for each check; ends with status 1 if one failed.
import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import pg from 'pg';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';
import Cursor from 'pg-cursor';
import { assertShared, clients, countPrepared, countServers, inSessionPool, manyTimes, run, serverPort, servers, tls, world } from '../checks.mjs';

const options = { ...world, ssl: tls };

async function withClient(work, client = new pg.Client(options)) {
    await client.connect();
    try { return await work(client); } finally { await client.end(); }
}

const onManyClients = (work) => manyTimes(clients, (number) => withClient((client) => work(client, number)));
const one = async (client, text, values) => (await client.query(text, values)).rows[0];

const checks = {
    'each client gets its own answers': () => onManyClients(async (client, number) => {
        for (let turn = 0; turn < 50; turn++) {
            const { rows } = await client.query('select $1::int as a, $2::text as b', [number * 1000 + turn, `c${number}`]);
            assert.deepEqual(rows, [{ a: number * 1000 + turn, b: `c${number}` }]);
        }
    }),

    'a transaction stays on one server': () => onManyClients(async (client) => {
        for (let turn = 0; turn < 10; turn++) {
            await client.query('begin');
            const first = (await client.query('select pg_backend_pid() as pid, txid_current() as id')).rows;
            await client.query('select pg_sleep(0.002)');
            assert.deepEqual((await client.query('select pg_backend_pid() as pid, txid_current() as id')).rows, first);
            await client.query('commit');
        }
    }),

    'queries sent without waiting are answered in order': () => onManyClients(async (client, number) => {
        const sent = Array.from({ length: 100 }, (_, n) => client.query('select $1::int as n', [number * 100 + n]));
        const got = (await Promise.all(sent)).map(({ rows }) => rows[0].n);
        assert.deepEqual(got, Array.from({ length: 100 }, (_, n) => number * 100 + n));
    }),

    'named statements are found again': () => onManyClients(async (client, number) => {
        for (let turn = 0; turn < 30; turn++) {
            const { rows } = await client.query({ name: 'add', text: 'select $1::int + 1 as n', values: [turn] });
            assert.equal(rows[0].n, turn + 1);
            const own = await client.query({ name: `own-${number % 5}`, text: `select ${number % 5} as n` });
            assert.equal(own.rows[0].n, number % 5);
        }
        await client.query('begin');    // the server that has just run one, not one that is new
        await client.query({ name: 'add', text: 'select $1::int + 1 as n', values: [0] });
        assert.ok((await one(client, countPrepared)).n >= 1);
        await client.query('commit');
    }),

    'an error has its SQLSTATE and leaves the session usable': () => onManyClients(async (client) => {
        for (let turn = 0; turn < 10; turn++) {
            await assert.rejects(client.query('select 1/$1::int', [0]), { code: '22012' });
            assert.equal((await client.query('select 1 as n')).rows[0].n, 1);
        }
    }),

    'an error in a transaction ends at rollback': () => withClient(async (client) => {
        await client.query('begin');
        await assert.rejects(client.query('select no_such_column'), { code: '42703' });
        await assert.rejects(client.query('select 1'), { code: '25P02' });
        await client.query('rollback');
        assert.equal((await client.query('select 2 as n')).rows[0].n, 2);
    }),

    'several statements in one query give several results': () => withClient(async (client) => {
        const results = await client.query('select 1 as n; select 2 as n; select 3 as n');
        assert.deepEqual(results.map(({ rows }) => rows[0].n), [1, 2, 3]);
    }),

    'a cursor reads part by part': () => withClient(async (client) => {
        await client.query('begin');
        const cursor = client.query(new Cursor('select n from generate_series(1, 1000) n'));
        let sum = 0;
        for (let rows = await cursor.read(70); rows.length > 0; rows = await cursor.read(70))
            sum += rows.reduce((total, { n }) => total + n, 0);
        await cursor.close();
        await client.query('commit');
        assert.equal(sum, 500500);
    }),

    'a large value goes and comes unchanged': () => withClient(async (client) => {
        const text = 'wéir '.repeat(400000);
        assert.equal((await client.query('select $1::text as t', [text])).rows[0].t, text);
    }),

    "the driver's own pool works on top": async () => {
        const pool = new pg.Pool({ ...options, max: clients });
        try {
            const got = await Promise.all(Array.from({ length: 200 }, (_, n) => pool.query('select $1::int as n', [n])));
            assert.deepEqual(got.map(({ rows }) => rows[0].n), Array.from({ length: 200 }, (_, n) => n));
        } finally { await pool.end(); }
    },

    'what was committed is there for all': async () => {
        await withClient(async (client) => {
            await client.query('create table from_node (n int)');
        });
        await onManyClients((client, number) => client.query('insert into from_node values ($1)', [number]));
        const sum = await withClient((client) => client.query('select count(*)::int as n from from_node'), new pg.Client({ ...options, port: serverPort }));
        assert.equal(sum.rows[0].n, clients);
    },

    'values arrive unchanged': () => withClient(async (client) => {
        const day = new Date('2024-02-29T23:59:59.999Z');
        const values = [null, [1, null, 3], ['a,b', '"', null], '12345678901234567890.123456789', day, { a: [1, 'é'] }, Buffer.from([0, 255, 7]), true];
        const got = await client.query({ text: 'select $1::int, $2::int[], $3::text[], $4::numeric, $5::timestamptz, $6::jsonb, $7::bytea, $8::bool', values, rowMode: 'array' });
        assert.deepEqual(got.rows[0], values);
    }),

    'a savepoint keeps what was before it': () => withClient(async (client) => {
        await client.query('create table saved (n int)');
        for (const text of ['begin', 'insert into saved values (1)', 'savepoint s', 'insert into saved values (2)']) await client.query(text);
        await assert.rejects(client.query('insert into saved values ($1)', ['no number']), { code: '22P02' });
        for (const text of ['rollback to savepoint s', 'insert into saved values (3)', 'commit']) await client.query(text);
        assert.deepEqual((await one(client, 'select array_agg(n order by n) as all from saved')).all, [1, 3]);
    }),

    'copy in and out agree': () => onManyClients(async (client) => {
        const text = Array.from({ length: 3000 }, (_, n) => `${n}\t${'x'.repeat(n % 500)}\t${n % 7 ? '\\N' : n}\n`).join('');
        await client.query('begin');
        await client.query('create temp table copied (n int, t text, m int) on commit drop');
        await pipeline(Readable.from([text]), client.query(copyFrom('copy copied from stdin')));
        let back = '';
        for await (const piece of client.query(copyTo('copy (select * from copied order by n) to stdout'))) back += piece;
        await client.query('commit');
        assert.equal(back, text);
    }),

    'a cancel ends its own query only': () => onManyClients(async (client, number) => {
        if (number) {
            for (let turn = 0; turn < 20; turn++) assert.equal((await one(client, 'select $1::int as n, pg_sleep(0.01)', [turn])).n, turn);
            return;
        }
        const query = new pg.Query('select pg_sleep(60)');
        const ended = new Promise((resolve, reject) => { query.once('error', reject); query.once('end', resolve); });
        client.query(query);
        setTimeout(() => new pg.Client(options).cancel(client, query), 500);
        await assert.rejects(ended, { code: '57014' });
        assert.equal((await one(client, 'select 4 as n')).n, 4);
    }),

    [inSessionPool ? 'notifications arrive' : 'servers are shared']: inSessionPool
        ? () => withClient(async (client) => {
            const news = new Promise((resolve) => client.on('notification', resolve));
            await client.query('listen news');
            await withClient((teller) => teller.query("notify news, 'flood'"));
            assert.equal((await news).payload, 'flood');
        })
        : async () => {
            const all = await manyTimes(clients, async () => { const client = new pg.Client(options); await client.connect(); return client; });
            const pids = await Promise.all(all.map(async (client) => (await one(client, 'select pg_backend_pid() as pid')).pid));
            assertShared(pids);
            assert.ok((await one(all[0], countServers)).n <= servers);
            await Promise.all(all.map((client) => client.end()));
        },

    'the connection is as secure as asked for': () => withClient(async (client) => {
        assert.equal(Boolean(client.connection.stream.encrypted), Boolean(tls));
    }),
};

await run(checks);
