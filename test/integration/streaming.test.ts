import assert from 'node:assert/strict';
import { type Readable, Transform } from 'node:stream';
import type { TestContext } from 'node:test';
import { createBrotliDecompress, createGunzip } from 'node:zlib';
import { ArrivingText } from '../support/arriving-text.js';
import type { Easyserve } from '../support/easyserve.js';
import { eventually } from '../support/eventually.js';
import { forEachMode } from '../support/for-each-mode.js';
import { ask, openAnswer } from '../support/http-client.js';
import { ProbeRecords } from '../support/probe-records.js';
import { rssBytes } from '../support/processes.js';
import { type RawConnection, rawConnection } from '../support/raw-connection.js';
import { startEasyserve } from '../support/start-easyserve.js';

const megabyte = 1024 * 1024;

const decoders = {
  identity: () => new Transform({ transform: (piece, _encoding, done) => done(null, piece) }),
  gzip: createGunzip,
  br: createBrotliDecompress,
} as const;

/** The body of a gated stream, decoded while it arrives. */
async function openStream(site: Easyserve, path: string, encoding: keyof typeof decoders = 'identity') {
  const response = await openAnswer(site.url, path, { headers: { 'Accept-Encoding': encoding } });
  const decoder = decoders[encoding]();
  response.on('error', (error) => decoder.destroy(error));
  const body: Readable = response.pipe(decoder);
  return { response, arriving: new ArrivingText(body) };
}

async function sendRaw(t: TestContext, site: Easyserve, path: string, headers = ''): Promise<RawConnection> {
  const connection = await rawConnection(t, site.url);
  connection.send(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n${headers}\r\n`);
  return connection;
}

/** What an endless view has handed over, once that number moves no more. */
async function untilStalled(records: ProbeRecords, name: string): Promise<number> {
  let before = '';
  return eventually(
    () => {
      const now = records.read(name);
      const isMoving = now !== before;
      before = now;
      if (isMoving || now === '') throw new Error(`still being pulled, at ${now}`);
      return Number(now);
    },
    { timeoutMs: 20_000, intervalMs: 250 },
  );
}

forEachMode(['single', 'cluster'], (mode, testIn) => {
  testIn('streams', async (t) => {
    const settings = { threads: 3, spoolResponseMaxBytes: 4 * megabyte };
    const site = await startEasyserve(t, { fixture: 'django-site', mode, settings });
    const records = new ProbeRecords(site.dir);
    const [front = 0] = await site.sitePids();

    for (const encoding of ['identity', 'gzip', 'br'] as const) {
      await t.test(`${encoding}: each piece arrives before the view makes the next one`, async () => {
        const name = `pieces-${encoding}`;
        const { response, arriving } = await openStream(site, `/gated?name=${name}&count=3`, encoding);
        assert.equal(response.headers['content-encoding'], encoding === 'identity' ? undefined : encoding);
        assert.equal(response.headers.vary, 'Accept-Encoding');
        assert.equal(response.headers['content-length'], undefined);
        for (let line = 1; line <= 3; line += 1) {
          await arriving.until(`line ${line}\n`);
          if (line < 3) assert.equal(records.read(name), `line ${line}`);
          records.openGate(name, line + 1);
        }
        assert.equal(await arriving.toEnd(), 'line 1\nline 2\nline 3\n');
        assert.equal(arriving.error, undefined);
        await records.untilSaid(name, 'ended');
      });
    }

    await t.test('an event stream is neither compressed nor kept back', async () => {
      const path = '/gated?name=events&count=2&type=text/event-stream';
      const response = await openAnswer(site.url, path, { headers: { 'Accept-Encoding': 'gzip, br' } });
      assert.equal(response.headers['content-type'], 'text/event-stream');
      assert.equal(response.headers['content-encoding'], undefined);
      const arriving = new ArrivingText(response);
      await arriving.until('line 1\n');
      assert.equal(records.read('events'), 'line 1');
      records.openGate('events', 2);
      assert.equal(await arriving.toEnd(), 'line 1\nline 2\n');
    });

    for (const [how, leave] of [
      ['resets the connection', (connection: RawConnection) => connection.reset()],
      ['closes the connection', (connection: RawConnection) => connection.close()],
    ] as const) {
      await t.test(`a client that ${how} closes the view's generator`, async (t) => {
        const name = how.replaceAll(' ', '-');
        const connection = await sendRaw(t, site, `/gated?name=${name}&count=100`);
        await connection.readUntil('line 1\n');
        leave(connection);
        // The view learns it when it has something to say.
        for (let gate = 2; gate <= 100; gate += 1) records.openGate(name, gate);
        await records.untilSaid(name, 'closed');
      });
    }

    await t.test('a client that leaves before the answer begins', async (t) => {
      const connection = await sendRaw(t, site, '/endless?name=early&gated=1');
      await records.untilSaid('early', 'waiting');
      connection.reset();
      await site.waitFor(
        'access',
        ({ path, status }) => path === '/endless?name=early&gated=1' && status === 499,
      );
      records.openGate('early', 1);
      await records.untilSaid('early', 'closed');
    });

    for (const [kind, more, encoding] of [
      ['a chunked body', '', 'identity'],
      ['a compressed body', '', 'gzip'],
      ['a body of announced length', '&length=1000', 'identity'],
    ] as const) {
      await t.test(`an exception cuts ${kind}`, async () => {
        const name = `raising-${encoding}${more.length}`;
        const path = `/gated?name=${name}&count=2&end=raise${more}`;
        const { response, arriving } = await openStream(site, path, encoding);
        assert.equal(response.statusCode, 200);
        await arriving.until('line 1\n');
        records.openGate(name, 2);
        const text = await arriving.toEnd();
        // What is inside a compressor is lost.
        if (encoding === 'identity') assert.equal(text, 'line 1\nline 2\n');
        assert.equal((arriving.error as NodeJS.ErrnoException)?.code, 'ECONNRESET');
        await site.waitFor('application', ({ msg }) => msg === 'RuntimeError: the stream failed on purpose');
      });
    }

    await t.test('an exception resets the connection of HTTP/1.0, whose bodies end with it', async (t) => {
      const connection = await rawConnection(t, site.url);
      connection.send('GET /gated?name=old&count=1&end=gated-raise HTTP/1.0\r\nHost: localhost\r\n\r\n');
      // All is read before the reset: where data and a reset come at once, Node's own client sees a plain end.
      await connection.readUntil('line 1\n');
      records.openGate('old', 2);
      await connection.readToEnd();
      assert.equal((connection.error as NodeJS.ErrnoException)?.code, 'ECONNRESET');
    });

    await t.test('an exception before the first piece is an error page', async () => {
      const answer = await ask(site.url, '/gated?name=nothing&count=0&end=raise');
      assert.equal(answer.status, 500);
      assert.doesNotMatch(answer.text, /Traceback|RuntimeError/);
    });

    await t.test('a body that is shorter than announced is cut', async () => {
      await assert.rejects(ask(site.url, '/gated?name=short&count=2&from_gate=9&length=1000'), {
        code: 'ECONNRESET',
      });
    });

    await t.test('a body that is longer than announced ends where it must', async (t) => {
      const path = '/gated?name=long&count=3&from_gate=9&length=10';
      const connection = await sendRaw(t, site, path);
      connection.send('GET /version HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
      const text = await connection.readToEnd();
      const [, body = '', second = ''] = text.split('\r\n\r\n');
      assert.equal(body.slice(0, 10), 'line 1\nlin');
      assert.match(body.slice(10), /^HTTP\/1\.1 200 OK\r\n/);
      assert.match(second, /^\{"version": "v1"\}$/);
    });

    for (const [kind, query, headers] of [
      ['plain', '', ''],
      ['compressed', '&type=text/plain', 'Accept-Encoding: gzip\r\n'],
    ] as const) {
      await t.test(
        `a slow reader of a fast view (${kind}): the view waits, the front does not grow`,
        async (t) => {
          const name = `endless-${kind}`;
          await ask(site.url, '/version');
          const rssBefore = rssBytes(front);
          const connection = await rawConnection(t, site.url);
          connection.pause();
          connection.send(`GET /endless?name=${name}${query} HTTP/1.1\r\nHost: localhost\r\n${headers}\r\n`);
          const taken = await untilStalled(records, name);
          // Buffers of the kernel on both hops, the front's 1 MiB in memory and 4 on disk, and what is under way.
          assert.ok(taken < 16 * megabyte, `${taken} bytes were taken ahead of the client`);
          for (let other = 0; other < 20; other += 1)
            assert.equal((await ask(site.url, '/version')).status, 200);
          assert.equal(records.read(name), String(taken));
          const grownMegabytes = (rssBytes(front) - rssBefore) / megabyte;
          assert.ok(grownMegabytes < 40, `the front grew by ${grownMegabytes} MB`);

          connection.resume();
          await eventually(() => assert.ok(Number(records.read(name)) > taken + 4 * megabyte));
          connection.reset();
          await records.untilSaid(name, 'closed');
        },
      );
    }

    await t.test('HEAD of a stream ends it', async () => {
      for (const name of ['head-endless', 'head-gated']) {
        const view = name === 'head-endless' ? 'endless' : 'gated';
        const head = await ask(site.url, `/${view}?name=${name}`, { method: 'HEAD' });
        assert.equal(head.status, 200);
        assert.equal(head.body.length, 0);
        await records.untilSaid(name, 'closed');
      }
    });

    await t.test('204 and 304 have no body, whatever the application sends', async (t) => {
      const connection = await rawConnection(t, site.url);
      const statuses = [204, 304, 204, 304];
      for (const status of statuses) {
        const query = `status=${status}&header=ETag:%22x%22&body=unwanted`;
        connection.send(`GET /respond?${query} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
      }
      connection.send('GET /version HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
      const text = await connection.readToEnd();
      const found = [...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => Number(status));
      assert.deepEqual(found, [...statuses, 200]);
      assert.doesNotMatch(text, /unwanted/);
      const heads = text.split('\r\n\r\n').slice(0, statuses.length);
      for (const head of heads) {
        assert.doesNotMatch(head, /^(content-length|transfer-encoding):/im);
        assert.match(head, /^etag: "x"$/im);
      }
    });

    await t.test('all threads are free afterwards', async () => {
      await eventually(async () => {
        for (const app of await site.apps()) assert.equal(app.inFlight, 0);
      });
    });
  });
});
