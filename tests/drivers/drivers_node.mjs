// node-postgres through the proxy, more clients than servers.
//
//   node drivers_node.mjs PROXY_PORT SERVER_PORT POOL_MODE
//
// Prints `ok NAME` or `FAILED NAME: why` for each check; ends with status 1 if one failed.
import assert from 'node:assert/strict';
import pg from 'pg';
import Cursor from 'pg-cursor';

const [proxyPort, serverPort, poolMode] = process.argv.slice(2);
const clients = poolMode === 'session' ? 4 : 24;

const options = (port = proxyPort) => ({ host: '127.0.0.1', port: Number(port), user: 'postgres', database: 'drivers' });

async function withClient(work, port) {
    const client = new pg.Client(options(port));
    await client.connect();
    try { return await work(client); } finally { await client.end(); }
}

const onManyClients = (work) => Promise.all(Array.from({ length: clients }, (_, number) => withClient((client) => work(client, number))));

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
        const pool = new pg.Pool({ ...options(), max: clients });
        try {
            const got = await Promise.all(Array.from({ length: 200 }, (_, n) => pool.query('select $1::int as n', [n])));
            assert.deepEqual(got.map(({ rows }) => rows[0].n), Array.from({ length: 200 }, (_, n) => n));
        } finally { await pool.end(); }
    },

    'what was committed is there for all': async () => {
        await withClient(async (client) => {
            await client.query('create table if not exists from_node (n int)');
            await client.query('truncate from_node');
        });
        await onManyClients((client, number) => client.query('insert into from_node values ($1)', [number]));
        const sum = await withClient((client) => client.query('select count(*)::int as n from from_node'), serverPort);
        assert.equal(sum.rows[0].n, clients);
    },
};

function deadline(milliseconds) {
    return new Promise((_, reject) => setTimeout(() => reject(new Error(`no answer within ${milliseconds} ms`)), milliseconds).unref());
}

let failed = 0;
for (const [name, check] of Object.entries(checks)) {
    try {
        await Promise.race([check(), deadline(60000)]);
        console.log(`ok node-postgres, ${poolMode}: ${name}`);
    } catch (error) {
        failed++;
        console.log(`FAILED node-postgres, ${poolMode}: ${name}: ${String(error.message).replaceAll('\n', ' ')}`);
    }
}
process.exit(failed ? 1 : 0);
