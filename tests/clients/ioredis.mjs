// SPDX-License-Identifier: BSD-3-Clause
// ioredis, and its fork iovalkey; both read INFO before they are ready.
import assert from 'node:assert/strict';
import { Redis as Ioredis } from 'ioredis';
import { Redis as Iovalkey } from 'iovalkey';
import { port, tryClient, version } from './kit.mjs';

async function features(name, Redis) {
    const client = new Redis(port);
    client.on('error', () => {});
    await tryClient({ client: name, version: version(name) }, {
        'strings, expiry, counters': async () => {
            await client.flushall();
            assert.equal(await client.set('k', 'v', 'EX', 100), 'OK');
            assert.equal(await client.get('k'), 'v');
            assert.ok(await client.ttl('k') > 90);
            assert.equal(await client.incr('n'), 1);
            assert.deepEqual(await client.mget('k', 'none'), ['v', null]);
        },
        'pipelines': async () => {
            const pipeline = client.pipeline();
            for (let i = 0; i < 1000; i++)
                pipeline.set(`p${i}`, i);
            const replies = await pipeline.exec();
            assert.ok(replies.every(([error, reply]) => !error &&
                                                        reply === 'OK'));
        },
        'SCAN': async () => {
            let found = 0;
            for await (const keys of client.scanStream({ match: 'p*' }))
                found += keys.length;
            assert.equal(found, 1000);
        },
        'transactions': async () => {
            assert.deepEqual(await client.multi().set('m', 1).incr('m').exec(),
                             [[null, 'OK'], [null, 2]]);
        },
        'hashes': async () => {
            await client.hset('h', 'a', 1, 'b', 2);
            assert.deepEqual(await client.hgetall('h'), { a: '1', b: '2' });
        },
        'publish and subscribe': async () => {
            const listener = new Redis(port);
            const heard = new Promise((resolve) => {
                listener.on('message', (_, text) => resolve(text));
            });
            await listener.subscribe('news');
            await client.publish('news', 'hello');
            assert.equal(await heard, 'hello');
            listener.disconnect();
        },
        '!scripts in Lua': () => client.eval('return 1', 0),
    });
    client.disconnect();
}

await features('ioredis', Ioredis);
await features('iovalkey', Iovalkey);
