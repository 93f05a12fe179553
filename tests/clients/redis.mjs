// SPDX-License-Identifier: BSD-3-Clause
// npm's redis, which opens with HELLO 3; and the same without.
import assert from 'node:assert/strict';
import { BasicClientSideCache, createClient } from 'redis';
import { tryClient, url, version } from './kit.mjs';

async function connect(options) {
    const client = createClient({ url, ...options });
    client.on('error', () => {});
    return client.connect();
}

async function features(RESP) {
    const client = await connect({ RESP });
    await tryClient({ client: `redis (npm), RESP${RESP}`,
                      version: version('redis') }, {
        'strings, expiry, counters': async () => {
            await client.flushAll();
            await client.set('k', 'v', { expiration: { type: 'PX',
                                                       value: 100_000 } });
            assert.equal(await client.get('k'), 'v');
            assert.ok(await client.pTTL('k') > 90_000);
            assert.equal(await client.incrBy('n', 5), 5);
            assert.equal(await client.getRange('k', 0, -1), 'v');
        },
        'SCAN': async () => {
            let found = 0;
            for await (const keys of client.scanIterator({ MATCH: '?' }))
                found += keys.length;
            assert.equal(found, 2);
        },
        'transactions': async () => {
            assert.deepEqual(await client.multi().set('m', '1').incr('m').exec(),
                             ['OK', 2]);
        },
        'WATCH': async () => {
            const other = await connect({ RESP });
            await client.watch('m');
            await other.set('m', '7');
            await assert.rejects(client.multi().incr('m').exec(), /watched/i);
            other.destroy();
        },
        'hashes': async () => {
            await client.hSet('h', { a: '1', b: '2' });
            assert.deepEqual({ ...await client.hGetAll('h') },
                             { a: '1', b: '2' });
            assert.equal(await client.hIncrBy('h', 'a', 2), 3);
        },
        'publish and subscribe': async () => {
            const listener = await connect({ RESP });
            const heard = new Promise((resolve, reject) => {
                listener.subscribe('news', resolve).then(
                    () => client.publish('news', 'hello')).catch(reject);
            });
            assert.equal(await heard, 'hello');
            listener.destroy();
        },
        '!scripts in Lua': () => client.eval('return 1'),
        '!lists': () => client.lPush('l', 'x'),
        ...(RESP === 3 ? {
            'client-side caching': async () => {
                const clientSideCache = new BasicClientSideCache({
                    ttl: 0, recordStats: true,
                });
                const cached = await connect({ RESP: 3, clientSideCache });
                await client.set('c', '1');
                assert.equal(await cached.get('c'), '1');
                assert.equal(await cached.get('c'), '1');
                assert.equal(clientSideCache.stats().hitCount, 1);
                await client.set('c', '2');
                while (await cached.get('c') !== '2')
                    await new Promise(setImmediate);
                cached.destroy();
            },
        } : {}),
    });
    client.destroy();
}

await features(3);
await features(2);
