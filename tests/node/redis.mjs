// SPDX-License-Identifier: BSD-3-Clause
// The npm client `redis` as its users use it: it opens with HELLO 3.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { createClient } from 'redis';

let server, client, port;

before(async () => {
    server = spawn(process.env.EBB_SERVER,
                   ['--port', '0', '--metrics-port', '0', '--maxmemory', '64mb'],
                   { stdio: ['ignore', 'pipe', 'inherit'] });
    for await (const line of createInterface(server.stdout)) {
        const ready = line.match(/accept connections on 127\.0\.0\.1:(\d+)/);
        if (ready) {
            port = Number(ready[1]);
            break;
        }
    }
    assert.ok(port, 'the server says its port');
    client = await connect();
});

after(async () => {
    client?.destroy();
    server.kill('SIGTERM');
    const status = await new Promise((done) => server.once('exit', done));
    assert.equal(status, 0);
});

async function connect(options) {
    const made = createClient({ socket: { host: '127.0.0.1', port,
                                          reconnectStrategy: false },
                                ...options });
    made.on('error', () => {});
    await made.connect();
    return made;
}

test('values come back, those not there as null', async () => {
    assert.equal(await client.set('text', 'grüße\r\n\0'), 'OK');
    assert.equal(await client.get('text'), 'grüße\r\n\0');
    assert.equal(await client.get('nothing'), null);
    assert.deepEqual(await client.mGet(['text', 'nothing']),
                     ['grüße\r\n\0', null]);
    assert.equal(await client.del(['text', 'nothing']), 1);
});

test('options of SET', async () => {
    const expiration = { type: 'EX', value: 100 };
    assert.equal(await client.set('o', '1', { condition: 'XX' }), null);
    assert.equal(await client.set('o', '1', { condition: 'NX', expiration }),
                 'OK');
    assert.equal(await client.set('o', '2', { GET: true, expiration }), '1');
    assert.ok(await client.ttl('o') > 90);
    assert.equal(await client.persist('o'), 1);
    assert.equal(await client.ttl('o'), -1);
    assert.equal(await client.incrBy('o', 40), 42);
});

test('a long value', async () => {
    const value = 'abcdefgh'.repeat(1 << 17);
    await client.set('long', value);
    assert.equal(await client.get('long'), value);
    await client.del('long');
});

test('many commands at once are answered in order', async () => {
    const wanted = Array.from({ length: 2000 }, (_, i) => `v${i}`);
    await Promise.all(wanted.map((v, i) => client.set(`many:${i}`, v)));
    const got = await Promise.all(wanted.map((_, i) => client.get(`many:${i}`)));
    assert.deepEqual(got, wanted);
});

test('SCAN finds every key', async () => {
    const found = new Set();
    for await (const keys of client.scanIterator({ MATCH: 'many:*',
                                                   COUNT: 100 }))
        for (const key of keys)
            found.add(key);
    assert.equal(found.size, 2000);
});

test('errors are errors, and the connection goes on', async () => {
    await client.set('word', 'x');
    await assert.rejects(client.incr('word'),
                         /value is not an integer or out of range/);
    await assert.rejects(client.sendCommand(['NOSUCH']), /unknown command/);
    assert.equal(await client.ping(), 'PONG');
});

test('CONFIG, maps and databases', async () => {
    assert.deepEqual({ ...await client.configGet('maxmemory') },
                     { maxmemory: String(64 << 20) });
    await client.configSet('maxmemory', '48mb');
    assert.deepEqual({ ...await client.configGet('maxmemory') },
                     { maxmemory: String(48 << 20) });
    await assert.rejects(client.configSet('maxmemory', '17179869184gb'),
                         /argument must be a memory value/);
    const other = await connect({ database: 3, name: 'other' });
    assert.equal(await other.dbSize(), 0);
    assert.equal(await other.clientGetName(), 'other');
    other.destroy();
});

test('a cache in the client holds no old values', async () => {
    const near = await connect({
        clientSideCache: { ttl: 0, maxEntries: 100, evictPolicy: 'LRU' },
    });
    const hits = async () =>
        Number((await client.info('stats')).match(/keyspace_hits:(\d+)/)[1]);
    const see = async (value) => {
        for (let looks = 0; await near.get('near') !== value; looks++) {
            assert.ok(looks < 100000, 'an old value stays');
            await new Promise(setImmediate);
        }
    };
    for (let i = 1; i <= 20; i++) {
        await client.set('near', `${i}`);
        await see(`${i}`);
        const before = await hits();
        assert.equal(await near.get('near'), `${i}`);
        assert.equal(await hits(), before);
    }
    await client.flushAll();
    await see(null);
    near.destroy();
});

test('RESP2 works too', async () => {
    const old = await connect({ RESP: 2 });
    await old.set('two', '2');
    assert.equal(await old.get('two'), '2');
    assert.equal(await old.get('nothing'), null);
    assert.match(await old.info('server'), /redis_version:7\.2\.4/);
    old.destroy();
});
