#!/usr/bin/env node
// Sequelize through the proxy, with its defaults (on node-postgres).
//
// Prints `ok NAME` or `FAILED NAME: why` for each check; ends with status 1 if one failed.
import assert from 'node:assert/strict';
import { DataTypes, Sequelize, UniqueConstraintError } from 'sequelize';
import { assertShared, clients, countServers, inSessionPool, manyTimes, run, servers, tls, world } from '../checks.mjs';

const open = (max) => new Sequelize(world.database, world.user, world.password, {
    ...world, dialect: 'postgres', logging: false, pool: { max, acquire: 90000 }, dialectOptions: tls ? { ssl: tls } : {},
});
const database = open(clients);
const Author = database.define('author', { name: { type: DataTypes.TEXT, allowNull: false, unique: true } });
const Book = database.define('book', {
    title: DataTypes.TEXT, price: DataTypes.DECIMAL(12, 2), printed: DataTypes.DATEONLY, tags: DataTypes.ARRAY(DataTypes.TEXT),
    facts: DataTypes.JSONB, cover: DataTypes.BLOB, sold: { type: DataTypes.INTEGER, defaultValue: 0 },
});
Author.hasMany(Book);
Book.belongsTo(Author);
const cover = Buffer.alloc(300000, 'ÿ\0a', 'latin1');
const select = (sql, options) => database.query(sql, { type: 'SELECT', ...options });

await run({
    'tables are made, and altered': async () => {
        await database.sync();
        await database.getQueryInterface().addColumn('authors', 'born', { type: DataTypes.DATEONLY });
        await database.sync({ alter: true });
        assert.deepEqual(Object.keys(await database.getQueryInterface().describeTable('authors')).sort(), ['createdAt', 'id', 'name', 'updatedAt']);
    },

    'many write and read in transactions': async () => {
        await manyTimes(clients, async (number) => {
            await database.transaction(async (transaction) => {
                const author = await Author.create({ name: `author ${number}` }, { transaction });
                await Book.bulkCreate(Array.from({ length: 10 }, (_, n) => ({ authorId: author.id, title: `book ${n}`, price: '12.50',
                    printed: '2024-02-29', tags: ['a,b', null, '"'], facts: { 'é': [null, n] }, cover })), { transaction });
                await assert.rejects(database.transaction({ transaction }, (inner) => Author.create({ name: `author ${number}` }, { transaction: inner })), UniqueConstraintError);
            });
            const author = await Author.findOne({ where: { name: `author ${number}` }, include: Book, order: [[Book, 'id']] });
            assert.deepEqual(author.books.map(({ title }) => title), Array.from({ length: 10 }, (_, n) => `book ${n}`));
            const { price, printed, tags, facts } = author.books[3];
            assert.deepEqual({ price, printed, tags, facts }, { price: '12.50', printed: '2024-02-29', tags: ['a,b', null, '"'], facts: { 'é': [null, 3] } });
            assert.ok(author.books[3].cover.equals(cover));
        });
        assert.equal(await Book.count(), 10 * clients);
    },

    'an exception rolls back': () => manyTimes(clients, async (number) => {
        await assert.rejects(database.transaction(async (transaction) => {
            await Author.create({ name: `lost ${number}` }, { transaction });
            throw new RangeError('mine');
        }), RangeError);
        assert.equal(await Author.count({ where: { name: `lost ${number}` } }), 0);
    }),

    'what many add is there once': async () => {
        const { id } = await Book.findOne();
        await manyTimes(clients, async () => {
            await Book.increment('sold', { where: { id } });
            await database.transaction({ isolationLevel: 'READ COMMITTED' }, async (transaction) => {
                const book = await Book.findByPk(id, { transaction, lock: true });
                await book.update({ sold: book.sold + 1 }, { transaction });
            });
        });
        assert.equal(await Book.sum('sold'), 2 * clients);
    },

    'values are bound': () => manyTimes(clients, async (number) => {
        assert.deepEqual(await select('select $1::int as n, $2::text as t', { bind: [number, `c${number}`] }), [{ n: number, t: `c${number}` }]);
    }),

    ...(inSessionPool ? {} : { 'servers are shared': async () => {
        const all = await manyTimes(clients, async () => { const one = open(1); await one.authenticate(); return one; });
        const pids = await Promise.all(all.map(async (one) => (await one.query('select pg_backend_pid() as pid', { type: 'SELECT' }))[0].pid));
        assertShared(pids);
        assert.ok((await select(countServers))[0].n <= servers);
        await Promise.all(all.map((one) => one.close()));
    } }),
});
