import assert from 'node:assert/strict';
import { forEachServer, serverCases, startServer } from '../support/for-each-server.js';
import { ask } from '../support/http-client.js';
import { type RawConnection, rawConnection } from '../support/raw-connection.js';

const concurrency = 10;
const cases = serverCases.filter(({ name }) => ['uvicorn', 'express'].includes(name));
const post = 'POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\nx';

forEachServer(cases, (serverCase, mode, testIn) => {
  testIn('uploads that hardly come leave places to everybody else, and are ended', async (t) => {
    const site = await startServer(t, serverCase, mode, { concurrency, bodyIdleTimeoutMs: 9_000 });
    const uploads: RawConnection[] = [];
    for (let n = 0; n < 4 * concurrency; n += 1) {
      const upload = await rawConnection(t, site.url);
      upload.send(post);
      uploads.push(upload);
    }
    for (let n = 0; n < concurrency; n += 1) {
      assert.equal((await ask(site.url, '/version', { timeoutMs: 7_000 })).status, 200);
    }
    // An upload that comes at once is taken beside them.
    const body = Buffer.alloc(500_000, 'x');
    const { text } = await ask(site.url, '/echo', { method: 'POST', body, timeoutMs: 10_000 });
    assert.equal(JSON.parse(text).length, body.length);
    for (const upload of uploads) assert.match(await upload.readToEnd(30_000), /^HTTP\/1\.1 408 /);
  });
});
