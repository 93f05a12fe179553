// SPDX-License-Identifier: BSD-3-Clause
/*
 * What the scripts of this folder share.  Each tries one client, a feature
 * after the other, and prints a line of JSON for each: the client, its
 * version, the feature, whether it works, and whether it should.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

export const port = Number(process.env.EBB_PORT);
export const url = `redis://127.0.0.1:${port}`;

const PATIENCE_MS = 20_000;

// The version of an npm package that is installed here.
export function version(name) {
    const path = new URL(`node_modules/${name}/package.json`, import.meta.url);
    return JSON.parse(readFileSync(path)).version;
}

function impatient(promise) {
    let timer;
    const late = new Promise((_, reject) => {
        timer = setTimeout(() => reject(new Error('no answer')), PATIENCE_MS);
    });
    return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/*
 * features: { 'its name': async () => { it works unless this throws } }.  A
 * name that begins with '!' is of one that Ebb does not have: it must be
 * refused, and the sentence that the user then sees goes into the table.
 */
export async function tryClient(client, features) {
    for (const [name, works] of Object.entries(features)) {
        const wanted = !name.startsWith('!');
        let why = '';
        try {
            await impatient(works());
        } catch (error) {
            why = String(error.message ?? error).split('\n')[0];
        }
        console.log(JSON.stringify({
            ...client, feature: name.replace(/^!/, ''), works: why === '',
            wanted, why,
        }));
    }
}
