// SPDX-License-Identifier: BSD-3-Clause
// express-session with connect-redis, asked over HTTP as a browser would.
import assert from 'node:assert/strict';
import { RedisStore } from 'connect-redis';
import express from 'express';
import session from 'express-session';
import { createClient } from 'redis';
import { tryClient, url, version } from './kit.mjs';

const client = await createClient({ url }).on('error', () => {}).connect();
const store = new RedisStore({ client, prefix: 'session:', ttl: 100 });
const app = express();
app.use(session({ store, secret: 'of the test', resave: false,
                  saveUninitialized: false }));
app.get('/count', (request, response) => {
    request.session.count = (request.session.count ?? 0) + 1;
    response.json(request.session.count);
});
app.get('/end', (request, response) => {
    request.session.destroy(() => response.json('ended'));
});
const server = await new Promise((resolve) => {
    const listening = app.listen(0, '127.0.0.1', () => resolve(listening));
});

let cookie;
async function visit(path) {
    const address = `http://127.0.0.1:${server.address().port}${path}`;
    const response = await fetch(address, { headers: cookie ? { cookie } : {} });
    cookie = response.headers.get('set-cookie')?.split(';')[0] ?? cookie;
    return response.json();
}

await tryClient({ client: 'connect-redis with express-session',
                  version: version('connect-redis') }, {
    'a session over several requests': async () => {
        assert.equal(await visit('/count'), 1);
        assert.equal(await visit('/count'), 2);
        assert.equal(await visit('/count'), 3);
    },
    'all sessions, and their number': async () => {
        assert.equal(await store.length(), 1);
        assert.equal((await store.all())[0].count, 3);
    },
    'the end of a session': async () => {
        assert.equal(await visit('/end'), 'ended');
        assert.equal(await store.length(), 0);
    },
});
server.closeAllConnections();
server.close();
client.destroy();
