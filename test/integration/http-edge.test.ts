import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { Easyserve } from '../support/easyserve.js';
import { eventually } from '../support/eventually.js';
import { forEachMode } from '../support/for-each-mode.js';
import { ask } from '../support/http-client.js';
import { ProbeRecords } from '../support/probe-records.js';
import { rssBytes } from '../support/processes.js';
import { type RawConnection, rawConnection } from '../support/raw-connection.js';
import { startEasyserve } from '../support/start-easyserve.js';

const megabyte = 1024 * 1024;
const last = 'GET /version HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n';

function get(path: string, ...headers: readonly string[]): string {
  return [`GET ${path} HTTP/1.1`, 'Host: localhost', ...headers, '\r\n'].join('\r\n');
}

function statusesIn(text: string): number[] {
  return [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));
}

/** Sends it, and gives everything until the server closes. */
async function exchange(t: TestContext, site: Easyserve, request: string): Promise<string> {
  const connection = await rawConnection(t, site.url);
  connection.send(request);
  return connection.readToEnd();
}

/** What one server and the next might cut into requests differently (RFC 9112 section 11.2). */
const ambiguous: [name: string, head: string, body: string][] = [
  ['both lengths', 'Content-Length: 4\r\nTransfer-Encoding: chunked', '0\r\n\r\n'],
  ['both lengths, the other way', 'Transfer-Encoding: chunked\r\nContent-Length: 4', '0\r\n\r\n'],
  ['two lengths', 'Content-Length: 0\r\nContent-Length: 4', ''],
  ['two lengths in one', 'Content-Length: 0, 4', ''],
  ['a length with a sign', 'Content-Length: +4', 'abcd'],
  ['a negative length', 'Content-Length: -1', ''],
  ['a length in hexadecimal', 'Content-Length: 0x4', 'abcd'],
  ['a length with a space', 'Content-Length: 4 4', 'abcd'],
  ['no length', 'Content-Length:', ''],
  ['a length beyond 64 bits', 'Content-Length: 99999999999999999999', ''],
  ['a space before the colon', 'Transfer-Encoding : chunked', '0\r\n\r\n'],
  ['a folded header', 'X-Folded: a\r\n Transfer-Encoding: chunked', '0\r\n\r\n'],
  ['a folded encoding', 'Transfer-Encoding:\r\n chunked', '0\r\n\r\n'],
  ['an unknown encoding', 'Transfer-Encoding: xchunked', '0\r\n\r\n'],
  ['chunked, but not last', 'Transfer-Encoding: chunked, identity', '0\r\n\r\n'],
  ['chunked twice', 'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked', '0\r\n\r\n'],
  ['a vertical tab', 'Transfer-Encoding:\x0bchunked', '0\r\n\r\n'],
  ['a NUL', 'X-Nul: a\0b', ''],
  ['a bare CR', 'X-Cr: a\rContent-Length: 4', ''],
  ['a line without a colon', 'Transfer-Encoding chunked', ''],
  ['a name with a space', 'X Y: z', ''],
  ['an empty name', ': z', ''],
  ['a chunk size with a sign', 'Transfer-Encoding: chunked', '+3\r\nabc\r\n0\r\n\r\n'],
  ['a chunk size in words', 'Transfer-Encoding: chunked', 'three\r\nabc\r\n0\r\n\r\n'],
  ['a chunk size of 0x', 'Transfer-Encoding: chunked', '0x3\r\nabc\r\n0\r\n\r\n'],
  ['a chunk size beyond 64 bits', 'Transfer-Encoding: chunked', 'fffffffffffffffff\r\nabc'],
  ['a chunk that ends elsewhere', 'Transfer-Encoding: chunked', '3\r\nabcd\r\n0\r\n\r\n'],
  ['chunks that end with LF', 'Transfer-Encoding: chunked', '3\nabc\n0\n\n'],
  ['a bare LF in an extension', 'Transfer-Encoding: chunked', '3;a\nb\r\nabc\r\n0\r\n\r\n'],
];

const malformed: [name: string, bytes: string, status?: number][] = [
  ['no HTTP at all', 'hello\r\n\r\n'],
  ['a TLS handshake', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'],
  ['HTTP/2 without asking', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
  ['an unknown version', 'GET / HTTP/9.9\r\nHost: localhost\r\n\r\n', 505],
  ['an unknown method', 'FROBNICATE / HTTP/1.1\r\nHost: localhost\r\n\r\n', 501],
  ['no Host', 'GET / HTTP/1.1\r\n\r\n'],
  ['a space in the target', 'GET /a b HTTP/1.1\r\nHost: localhost\r\n\r\n'],
  ['a control character in the target', 'GET /a\x01b HTTP/1.1\r\nHost: localhost\r\n\r\n'],
];

forEachMode(['single', 'cluster'], (mode, testIn) => {
  testIn('connections and requests at the edge of HTTP', async (t) => {
    const settings = { headerTimeoutMs: 600, keepAliveTimeoutMs: 60_000 };
    const args = ['--threads', '2'];
    const site = await startEasyserve(t, { fixture: 'django-site', mode, args, settings });
    const records = new ProbeRecords(site.dir);
    const [front = 0] = await site.sitePids();

    await t.test('one connection serves request after request', async (t) => {
      const connection = await rawConnection(t, site.url);
      for (let round = 0; round < 5; round += 1) {
        for (const path of ['/version', '/static/journal/mark.svg', '/media/nothing', '/stream?count=3']) {
          connection.forget();
          connection.send(get(path));
          await connection.readUntil(/\{"version": "v1"\}|<\/svg>|<\/html>|\r\n0\r\n\r\n/);
        }
      }
      connection.forget();
      connection.send(last);
      assert.match(await connection.readToEnd(), /\r\nConnection: close\r\n/);
      assert.equal(connection.error, undefined);
    });

    await t.test('pipelined requests are answered in their order', async (t) => {
      const paths = ['/slow?ms=200', '/static/journal/paper.png', '/version', '/nowhere/', '/stream?count=2'];
      const text = await exchange(t, site, paths.map((path) => get(path)).join('') + last);
      assert.deepEqual(statusesIn(text), [200, 200, 200, 404, 200, 200]);
      const marks = ['"pid"', 'PNG', '"version": "v1"}', 'Back to the photos', 'line 2'];
      const places = marks.map((mark) => text.indexOf(mark));
      assert.deepEqual(
        places,
        places.toSorted((a, b) => a - b),
      );
    });

    await t.test('a client that leaves with pipelined requests open leaves nothing behind', async (t) => {
      for (let client = 0; client < 5; client += 1) {
        const connection = await rawConnection(t, site.url);
        connection.send(get('/slow?ms=100') + get('/slow?ms=100') + get('/endless?name=x'));
        await connection.readUntil('"pid"');
        connection.reset();
      }
      await eventually(async () => {
        for (const app of await site.apps()) assert.equal(app.inFlight, 0);
      });
    });

    await t.test(
      'a request that could be read in two ways is refused, and nothing behind it is',
      async (t) => {
        for (const [name, head, body] of ambiguous) {
          const attack = `POST /echo?ambiguous HTTP/1.1\r\nHost: localhost\r\n${head}\r\n\r\n${body}`;
          const text = await exchange(t, site, attack + get('/environ?smuggled'));
          assert.deepEqual(statusesIn(text), [400], `${name}: ${text.slice(0, 300)}`);
          assert.match(text, /\r\nConnection: close\r\n/i, name);
        }
        const seen = site.records.filter(
          ({ event, path }) => event === 'access' && path === '/environ?smuggled',
        );
        assert.deepEqual(seen, []);
      },
    );

    await t.test('bytes that are no request are refused, and the connection ends', async (t) => {
      for (const [name, bytes, status = 400] of malformed) {
        assert.deepEqual(statusesIn(await exchange(t, site, bytes)), [status], name);
      }
    });

    await t.test('a bad request behind a good one does not take its answer', async (t) => {
      const text = await exchange(t, site, `${get('/slow?ms=200')}nonsense\r\n\r\n${last}`);
      assert.deepEqual(statusesIn(text), [200]);
      assert.match(text, /\r\nConnection: close\r\n[\s\S]*"pid"/);

      const connection = await rawConnection(t, site.url);
      connection.send(get('/gated?name=interrupted&count=2'));
      await connection.readUntil('line 1');
      connection.send('nonsense\r\n\r\n');
      connection.send('and more of it\r\n\r\n');
      records.openGate('interrupted', 2);
      assert.match(await connection.readToEnd(), /line 2\n\r\n0\r\n\r\n$/);
    });

    await t.test('two Host headers (RFC 9112 section 3.2)', async (t) => {
      for (const second of ['localhost', 'other.example']) {
        const text = await exchange(t, site, get('/version', `Host: ${second}`, 'Connection: close'));
        assert.deepEqual(statusesIn(text), [400]);
      }
    });

    await t.test('equal lengths, empty lines before a request, odd cases of names', async (t) => {
      const body = 'POST /echo HTTP/1.1\r\nhOsT: localhost\r\nCONTENT-length: 3\r\n\r\nabc';
      const text = await exchange(t, site, `\r\n\r\n${body}${last}`);
      assert.deepEqual(statusesIn(text), [200, 200]);
      assert.match(text, /"length": 3,/);
    });

    await t.test('headers that are too large', async (t) => {
      const one = await exchange(t, site, get('/', `X-Large: ${'a'.repeat(20_000)}`));
      assert.deepEqual(statusesIn(one), [431]);
      const many = Array.from({ length: 1000 }, (_, index) => `X-Header-${index}: ${'a'.repeat(20)}`);
      assert.deepEqual(statusesIn(await exchange(t, site, get('/', ...many))), [431]);
      assert.deepEqual(statusesIn(await exchange(t, site, get(`/${'a'.repeat(20_000)}`))), [431]);
      const chunk = `1;${'x'.repeat(20_000)}\r\na\r\n0\r\n\r\n`;
      const chunked = 'POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n';
      assert.deepEqual(statusesIn(await exchange(t, site, chunked + chunk)), [400]);
      const fitting = await ask(site.url, '/environ', { headers: { 'X-Large': 'a'.repeat(12_000) } });
      assert.equal(JSON.parse(fitting.text).environ.HTTP_X_LARGE.length, 12_000);
    });

    await t.test('a reload changes that limit, for new connections', async (t) => {
      site.writeSettings({ maxHeaderBytes: 4096 });
      const { code, stderr } = await site.cli('reload');
      assert.equal(code, 0, stderr);
      assert.deepEqual(statusesIn(await exchange(t, site, get('/', `X-Large: ${'a'.repeat(5_000)}`))), [431]);
      assert.equal(
        (await ask(site.url, '/version', { headers: { 'X-Large': 'a'.repeat(3_000) } })).status,
        200,
      );
    });

    await t.test('an idle connection is closed in time; a reload changes that time', async (t) => {
      site.writeSettings({ keepAliveTimeoutMs: 300 });
      assert.equal((await site.cli('reload')).code, 0);
      const connection = await rawConnection(t, site.url);
      connection.send(get('/version'));
      assert.deepEqual(statusesIn(await connection.readToEnd()), [200]);
      assert.equal(connection.error, undefined);
      site.writeSettings(settings);
      assert.equal((await site.cli('reload')).code, 0);
    });

    await t.test('clients that are slow with their headers are sent away', async (t) => {
      const beginnings = ['', 'GET / HT', 'GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow:'];
      const texts = await Promise.all(beginnings.map((bytes) => exchange(t, site, bytes)));
      for (const text of texts) assert.match(text, /^HTTP\/1\.1 408 /);
    });

    await t.test('a client that sends a header line now and then is sent away too', async (t) => {
      const connection = await rawConnection(t, site.url);
      connection.send('GET / HTTP/1.1\r\nHost: localhost\r\n');
      await eventually(
        () => {
          connection.send('X-More: and more\r\n');
          assert.ok(connection.isOver);
        },
        { intervalMs: 50 },
      );
    });

    await t.test('HTTP/1.0: closed after the answer, unless the client asks to keep it', async (t) => {
      const plain = await exchange(t, site, 'GET /version HTTP/1.0\r\n\r\n');
      assert.match(plain, /^HTTP\/1\.1 200 OK\r\n[\s\S]*\r\nConnection: close\r\n[\s\S]*"v1"\}$/);
      const kept = await rawConnection(t, site.url);
      kept.send('GET /version HTTP/1.0\r\nHost: localhost\r\nConnection: keep-alive\r\n\r\n');
      assert.match(await kept.readUntil('"v1"}'), /\r\nConnection: keep-alive\r\n/i);
      kept.send(last);
      assert.deepEqual(statusesIn(await kept.readToEnd()), [200, 200]);
    });

    await t.test('HTTP/1.0: a stream is not chunked, and ends with the connection', async (t) => {
      const text = await exchange(t, site, 'GET /stream?count=3 HTTP/1.0\r\nHost: localhost\r\n\r\n');
      assert.doesNotMatch(text, /transfer-encoding/i);
      assert.ok(text.endsWith('\r\n\r\nline 1\nline 2\nline 3\n'), text);
    });

    await t.test('HTTP/1.0 knows no 100 Continue', async (t) => {
      const head = 'POST /echo HTTP/1.0\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 3';
      const text = await exchange(t, site, `${head}\r\n\r\nabc`);
      assert.deepEqual(statusesIn(text), [200]);
    });

    await t.test('an expectation that nobody knows is not met, and not in the way', async (t) => {
      const text = await exchange(t, site, get('/version', 'Expect: a-miracle', 'Connection: close'));
      assert.deepEqual(statusesIn(text), [200]);
    });

    await t.test('an offer to upgrade is not taken, the request is answered', async (t) => {
      const offers = ['Connection: Upgrade, close', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAAQAAP__'];
      const text = await exchange(t, site, get('/version', ...offers));
      assert.deepEqual(statusesIn(text), [200]);
    });

    await t.test('CONNECT is no way out', async (t) => {
      const text = await exchange(t, site, 'CONNECT 127.0.0.1:22 HTTP/1.1\r\nHost: 127.0.0.1:22\r\n\r\n');
      assert.deepEqual(statusesIn(text), [501]);
    });

    await t.test('the host of an absolute target must be that of the Host header', async (t) => {
      const other =
        'GET http://other.example/environ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n';
      assert.deepEqual(statusesIn(await exchange(t, site, other)), [400]);
      const same = 'GET http://localhost/environ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n';
      assert.deepEqual(statusesIn(await exchange(t, site, same)), [200]);
    });

    await t.test('hundreds of idle connections disturb nobody', async (t) => {
      const rssBefore = rssBytes(front);
      const idle: RawConnection[] = [];
      for (let count = 0; count < 500; count += 1) {
        const connection = await rawConnection(t, site.url);
        connection.send(get('/version'));
        idle.push(connection);
      }
      for (const connection of idle) await connection.readUntil('"v1"}');
      const beganAt = performance.now();
      for (let other = 0; other < 20; other += 1) assert.equal((await ask(site.url, '/version')).status, 200);
      assert.ok(performance.now() - beganAt < 5_000);
      const { sites } = await site.status();
      assert.ok((sites[0]?.connections ?? 0) >= 500);
      const grownMegabytes = (rssBytes(front) - rssBefore) / megabyte;
      t.diagnostic(`500 connections took ${Math.round(grownMegabytes)} MB`);
      assert.ok(grownMegabytes < 50, `the front grew by ${grownMegabytes} MB`);
      // Idle for longer than headerTimeoutMs, they still serve.
      for (const connection of idle) {
        connection.forget();
        connection.send(get('/version'));
      }
      for (const connection of idle) await connection.readUntil('"v1"}');

      // Nor do they keep easyserve from stopping.
      const stopsAt = performance.now();
      assert.deepEqual(await site.stop(), { code: 0, signal: null });
      assert.ok(performance.now() - stopsAt < 5_000);
      for (const connection of idle) {
        await connection.readToEnd();
        assert.equal(connection.error, undefined);
      }
    });
  });
});
