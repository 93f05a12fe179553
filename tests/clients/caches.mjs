// SPDX-License-Identifier: BSD-3-Clause
// Keyv and cache-manager, which keep their entries in Redis.
import assert from 'node:assert/strict';
import KeyvRedis from '@keyv/redis';
import { createCache } from 'cache-manager';
import Keyv from 'keyv';
import { tryClient, url, version } from './kit.mjs';

const keyv = new Keyv(new KeyvRedis(url), { namespace: 'keyv' });
await tryClient({ client: '@keyv/redis', version: version('@keyv/redis') }, {
    'values with a time to live': async () => {
        await keyv.set('k', { deep: [1, 2] }, 100_000);
        assert.deepEqual(await keyv.get('k'), { deep: [1, 2] });
        assert.equal(await keyv.has('k'), true);
        assert.equal(await keyv.delete('k'), true);
        assert.equal(await keyv.get('k'), undefined);
    },
    'many at once': async () => {
        await keyv.setMany([{ key: 'a', value: 1 }, { key: 'b', value: 2 }]);
        assert.deepEqual(await keyv.getMany(['a', 'b']), [1, 2]);
        assert.deepEqual(await keyv.hasMany(['a', 'none']), [true, false]);
        await keyv.deleteMany(['a', 'b']);
        assert.deepEqual(await keyv.hasMany(['a', 'b']), [false, false]);
    },
    'clearing a namespace': async () => {
        await keyv.set('gone', 1);
        await keyv.clear();
        assert.equal(await keyv.get('gone'), undefined);
    },
});
await keyv.disconnect();

const store = new Keyv(new KeyvRedis(url), { namespace: 'manager' });
const cache = createCache({ stores: [store] });
await tryClient({ client: 'cache-manager',
                  version: version('cache-manager') }, {
    'wrapping a function': async () => {
        let calls = 0;
        const once = () => cache.wrap('w', async () => ++calls, 100_000);
        assert.equal(await once(), 1);
        assert.equal(await once(), 1);
    },
    'many at once': async () => {
        await cache.mset([{ key: 'a', value: 1 }, { key: 'b', value: 'two' }]);
        assert.deepEqual(await cache.mget(['a', 'b']), [1, 'two']);
        await cache.mdel(['a', 'b']);
        assert.equal(await cache.get('a'), undefined);
    },
});
await cache.disconnect();
