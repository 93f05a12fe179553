// SPDX-License-Identifier: BSD-3-Clause
/*
 * Lines of JSON, as the scripts print them, in; a page of Markdown out.  Counts
 * on standard error what is as it should be and what is not.
 */
import { createInterface } from 'node:readline';

// A sentence as a cell of a table has it.
function plain(text) {
    return text.replace(/[^ -~]/g, '').replaceAll('|', '\\|').trim();
}

const clients = new Map();
let passed = 0, failed = 0;

for await (const line of createInterface(process.stdin)) {
    if (!line.startsWith('{')) {
        console.error(line);
        continue;
    }
    const row = JSON.parse(line);
    const client = clients.get(row.client) ??
          { version: row.version, works: [], not: [] };
    clients.set(row.client, client);
    if (row.works)
        client.works.push(row.feature);
    else
        client.not.push(`${row.feature}: ${plain(row.why)}`);
    if (row.works === row.wanted) {
        passed++;
    } else {
        failed++;
        console.error(`not so: ${row.client}, ${row.feature}: ` +
                      (row.why || 'it works'));
    }
}

console.log(`# Clients and frameworks

Made by \`make clients\`, which runs each against Ebb; the last column has what
a user is told.

| client | version | works | does not |
| --- | --- | --- | --- |`);
for (const [name, { version, works, not }] of clients)
    console.log(`| ${name} | ${version} | ${works.join('; ')} | ` +
                `${not.join('; ')} |`);
console.error(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
