// What the runs on node share: the world they are called in, many clients at once, the line of a check.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

const { PGPORT, PGUSER, PGPASSWORD, PGDATABASE, PGSSLROOTCERT, SERVER_PORT, POOL_MODE, CLIENTS, SERVERS } = process.env;

export const clients = Number(CLIENTS);
export const servers = Number(SERVERS);
export const inSessionPool = POOL_MODE === 'session';
export const serverPort = Number(SERVER_PORT);
export const tls = PGSSLROOTCERT ? { ca: readFileSync(PGSSLROOTCERT, 'utf8') } : false;

// As drivers and object mappers take them, each by its own names.
export const world = { host: '127.0.0.1', port: Number(PGPORT), user: PGUSER, password: PGPASSWORD, database: PGDATABASE };
export const url = `postgres://${PGUSER}:${PGPASSWORD}@127.0.0.1:${PGPORT}/${PGDATABASE}`;

export const countServers =
    "select count(*)::int as n from pg_stat_activity where datname = current_database() and backend_type = 'client backend'";
export const countPrepared = 'select count(*)::int as n from pg_prepared_statements where not from_sql';

export const manyTimes = (count, work) => Promise.all(Array.from({ length: count }, (_, number) => work(number)));

// pids: the servers that each of `clients` clients saw while all of them were connected.
export function assertShared(pids) {
    const used = new Set(pids).size;
    assert.ok(pids.length >= clients && used >= 1 && used <= servers, `${pids.length} clients used ${used} servers`);
}

function deadline(milliseconds) {
    return new Promise((_, reject) => setTimeout(() => reject(new Error(`no answer within ${milliseconds} ms`)), milliseconds).unref());
}

export async function run(checks) {
    let failed = 0;
    for (const [name, check] of Object.entries(checks)) {
        try {
            await Promise.race([check(), deadline(120000)]);
            console.log(`ok ${name}`);
        } catch (error) {
            failed++;
            console.log(`FAILED ${name}: ${String(error?.stack ?? error).split('\n').filter(Boolean).slice(0, 12).join(' ').slice(0, 600)}`);
        }
    }
    process.exit(failed ? 1 : 0);
}
