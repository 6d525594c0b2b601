import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { eventually } from '../support/eventually.js';
import { forEachMode } from '../support/for-each-mode.js';
import { ask } from '../support/http-client.js';
import { startEasyserve } from '../support/start-easyserve.js';

const sizeBytes = 10_000_000;
/** No file may be longer than 2 MB: a write that fails in the middle, as on a disk that others have filled meanwhile. */
const under = ['sh', '-c', 'ulimit -f 4096; exec "$0" "$@"'];

forEachMode(['single', 'cluster'], (mode, testIn) => {
  testIn('a disk that takes no more in the middle of an answer or an upload harms nobody else', async (t) => {
    const easyserve = await startEasyserve(t, { fixture: 'wsgi-hello', mode, under });
    const { port } = new URL(easyserve.url);
    const client = connect(Number(port), '127.0.0.1').pause();
    t.after(() => client.destroy());
    client.write(
      `GET /echo?pad=${sizeBytes} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: close\r\n\r\n`,
    );
    const failed = await easyserve.waitFor('spool-failed');
    assert.match(String(failed.error), /EFBIG/);
    assert.equal((await ask(easyserve.url, '/version')).status, 200);

    const upload = await ask(easyserve.url, '/echo', { method: 'POST', body: Buffer.alloc(3_000_000) });
    assert.ok([500, 503, 507].includes(upload.status), String(upload.status));
    assert.equal((await ask(easyserve.url, '/version')).status, 200);

    // What was in memory is still sent: the answer is whole, or its end is missing and its length says so.
    let received = Buffer.alloc(0);
    client.on('data', (part: Buffer) => {
      received = Buffer.concat([received, part]);
    });
    client.resume();
    await eventually(() => assert.ok(client.destroyed), { timeoutMs: 60_000 });
    const [head = ''] = received.toString('latin1').split('\r\n\r\n', 1);
    const announced = Number(/content-length: (\d+)/i.exec(head)?.[1]);
    const body = received.subarray(head.length + 4);
    if (body.length !== announced)
      assert.ok(easyserve.records.some(({ event, cut }) => event === 'access' && cut));
    else assert.equal(JSON.parse(body.toString()).pad.length, sizeBytes);
    assert.equal((await ask(easyserve.url, '/echo?pad=1000000')).status, 200);
  });
});
