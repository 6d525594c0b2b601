import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ArrivingText } from '../support/arriving-text.js';
import type { Easyserve } from '../support/easyserve.js';
import { eventually } from '../support/eventually.js';
import { forEachServer, serverCases, startServer } from '../support/for-each-server.js';
import { ask, openAnswer } from '../support/http-client.js';
import { expectNoFailures, loadDuring } from '../support/load-during.js';
import { rawConnection } from '../support/raw-connection.js';

// What holds for every application server, whatever runs it. Particulars stand in the files of each.
forEachServer(serverCases, (serverCase, mode, testIn) => {
  testIn('pages, bodies, streams, crashes', async (t) => {
    const site = await startServer(t, serverCase, mode);
    const { project } = await site.status();
    assert.equal(project.server, serverCase.server);

    await t.test('a page', async () => {
      const { status, headers, text } = await ask(site.url, '/');
      assert.equal(status, 200);
      assert.match(String(JSON.parse(text).message), /^Hello from /);
      assert.equal(headers['x-fixture-version'], 'v1');
      assert.match(String(headers['x-request-id']), /^[\w-]+$/);
    });

    await t.test('HEAD has the headers of GET and no body', async () => {
      const get = await ask(site.url, '/version');
      const head = await ask(site.url, '/version', { method: 'HEAD' });
      assert.deepEqual([head.status, head.text], [200, '']);
      assert.equal(head.headers['content-length'], get.headers['content-length']);
    });

    for (const bytes of [0, 1, 100_000, 3_000_000]) {
      await t.test(`a body of ${bytes} bytes`, async () => {
        const body = randomBytes(bytes);
        const answer = JSON.parse((await ask(site.url, '/echo?x=%20', { method: 'POST', body })).text);
        assert.deepEqual(
          [answer.method, answer.query, answer.length, answer.sha256],
          ['POST', 'x=%20', bytes, createHash('sha256').update(body).digest('hex')],
        );
      });
    }

    await t.test('a page that is not there', async () => {
      assert.equal((await ask(site.url, '/nowhere')).status, 404);
    });

    await t.test('a stream: each piece arrives when it is made', async () => {
      const arriving = new ArrivingText(await openAnswer(site.url, '/stream?tag=pieces'));
      await arriving.until('line 1\n');
      release(site, 'pieces');
      assert.equal(await arriving.toEnd(), 'line 1\nline 2\n');
      assert.equal(arriving.error, undefined);
    });

    await t.test('a client that leaves in the middle of a stream frees its place', async () => {
      const connection = await rawConnection(t, site.url);
      connection.send('GET /stream?tag=leaving HTTP/1.1\r\nHost: localhost\r\n\r\n');
      await connection.readUntil('line 1\n');
      connection.reset();
      await site.waitFor('access', ({ path }) => path === '/stream?tag=leaving');
      release(site, 'leaving');
      await eventually(async () => {
        for (const { inFlight } of await site.apps()) assert.equal(inFlight, 0);
      });
    });

    await t.test('one that ends its process is not sent again, and the site comes back', async () => {
      assert.equal((await ask(site.url, '/crash?once=get')).status, 502);
      await site.waitFor('request-suspect', ({ method }) => method === 'GET');
      assert.equal((await ask(site.url, '/crash?once=get')).status, 200);
      assert.equal((await ask(site.url, '/crash', { method: 'POST' })).status, 502);
      await site.waitFor('request-suspect', ({ method }) => method === 'POST');
      assert.equal((await ask(site.url, '/version')).status, 200);
    });
  });

  testIn('reloads under load, a broken release among them: no request fails', async (t) => {
    const site = await startServer(t, serverCase, mode);
    const source = `${serverCase.settings.app ?? serverCase.settings.command ?? 'app.py'}`
      .split(' ')
      .at(-1) as string;
    const tally = await loadDuring(site.url, { minRequests: 2000 }, async () => {
      for (const version of ['v2', 'v3']) {
        site.writeFile('VERSION', `${version}\n`);
        const { code, stderr } = await site.cli('reload');
        assert.equal(code, 0, stderr);
      }
      site.writeFile(source, 'this is ( no program\n');
      assert.equal((await site.cli('reload')).code, 9);
    });
    expectNoFailures(tally, { atLeast: 2000, versions: ['v1', 'v2', 'v3'] });
    assert.equal((await ask(site.url, '/version')).headers['x-fixture-version'], 'v3');
  });
});

/** Lets the stream of this tag go on. */
function release(site: Easyserve, tag: string): void {
  writeFileSync(join(site.dir, `released-${tag}`), '');
}
