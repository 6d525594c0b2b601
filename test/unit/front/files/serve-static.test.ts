import assert from 'node:assert/strict';
import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { serveStatic } from '../../../../src/front/files/serve-static.js';
import { StaticTable } from '../../../../src/front/files/static-table.js';
import { fileTime, makeFileTree } from '../../../support/file-tree.js';
import { rawConnection } from '../../../support/raw-connection.js';
import { RecordingLog } from '../../../support/recording-log.js';
import { type ServedHandler, serveHandler } from '../../../support/serve-handler.js';

const digits = '0123456789';
const modified = fileTime.toUTCString();

/** Files of up to a kilobyte live in memory; the same requests must be answered the same from disk. */
const places = [
  { place: 'memory', memoryFileBytes: 1024 },
  { place: 'disk', memoryFileBytes: -1 },
];

async function serveTree(t: TestContext, root: string, memoryFileBytes = 1024): Promise<ServedHandler> {
  const options = { memoryFileBytes, compress: true, compressMinBytes: 100 };
  const table = await StaticTable.build({ prefix: '/static/', root }, options);
  return serveHandler(t, serveStatic(table, new RecordingLog()));
}

for (const { place, memoryFileBytes } of places) {
  test(`GET from ${place}: the file with all that is known about it`, async (t) => {
    const root = await makeFileTree(t, { 'css/app.css': digits });
    const served = await serveTree(t, root, memoryFileBytes);
    for (let round = 1; round <= 2; round++) {
      const { status, headers, body } = await served.ask('/static/css/app.css?v=1');
      assert.equal(status, 200);
      assert.equal(body.toString(), digits);
      assert.equal(headers['content-type'], 'text/css; charset=utf-8');
      assert.equal(headers['content-length'], '10');
      assert.equal(headers['cache-control'], 'no-cache');
      assert.equal(headers['last-modified'], modified);
      assert.equal(headers['accept-ranges'], 'bytes');
      assert.equal(headers['x-content-type-options'], 'nosniff');
      assert.equal(headers['access-control-allow-origin'], '*');
      assert.equal(headers['x-request-id'], `test-${round}`);
      assert.match(headers.etag ?? '', /^"[^"]+"$/);
      assert.equal(served.exchanges[round - 1]?.bodyBytes, 10);
    }
  });

  test(`HEAD from ${place}: the headers of GET, and no body`, async (t) => {
    const root = await makeFileTree(t, { 'app.css': digits });
    const served = await serveTree(t, root, memoryFileBytes);
    const get = await served.ask('/static/app.css');
    for (const headers of [{}, { Range: 'bytes=0-1' }]) {
      const head = await served.ask('/static/app.css', { method: 'HEAD', headers });
      assert.equal(head.status, 200);
      assert.equal(head.body.length, 0);
      const ignored = { date: '', 'x-request-id': '' };
      assert.deepEqual({ ...head.headers, ...ignored }, { ...get.headers, ...ignored });
    }
    assert.equal(served.exchanges[1]?.bodyBytes, 0);
  });

  test(`an empty file from ${place}`, async (t) => {
    const served = await serveTree(t, await makeFileTree(t, { 'empty.css': '' }), memoryFileBytes);
    const whole = await served.ask('/static/empty.css');
    assert.equal(whole.status, 200);
    assert.equal(whole.headers['content-length'], '0');
    assert.equal(whole.body.length, 0);
    const part = await served.ask('/static/empty.css', { headers: { Range: 'bytes=0-0' } });
    assert.equal(part.status, 416);
    assert.equal(part.headers['content-range'], 'bytes */0');
  });

  const ranges: [
    range: string,
    status: number,
    body: string | undefined,
    contentRange: string | undefined,
  ][] = [
    ['bytes=0-0', 206, '0', 'bytes 0-0/10'],
    ['bytes=2-4', 206, '234', 'bytes 2-4/10'],
    ['bytes=7-', 206, '789', 'bytes 7-9/10'],
    ['bytes=-2', 206, '89', 'bytes 8-9/10'],
    ['bytes=-99', 206, digits, 'bytes 0-9/10'],
    ['bytes=8-99', 206, '89', 'bytes 8-9/10'],
    ['bytes=10-', 416, undefined, 'bytes */10'],
    ['bytes=-0', 416, undefined, 'bytes */10'],
    ['bytes=0-1,4-5', 200, digits, undefined],
    ['bytes=4-2', 200, digits, undefined],
    ['pages=1-2', 200, digits, undefined],
  ];
  for (const [range, status, body, contentRange] of ranges) {
    test(`${range} from ${place}: ${status}`, async (t) => {
      const served = await serveTree(t, await makeFileTree(t, { 'a.bin': digits }), memoryFileBytes);
      const answer = await served.ask('/static/a.bin', { headers: { Range: range } });
      assert.equal(answer.status, status);
      assert.equal(answer.headers['content-range'], contentRange);
      if (body === undefined) return;
      assert.equal(answer.body.toString(), body);
      assert.equal(answer.headers['content-length'], String(body.length));
      assert.equal(served.exchanges[0]?.bodyBytes, body.length);
    });
  }

  test(`If-Range from ${place}`, async (t) => {
    const served = await serveTree(t, await makeFileTree(t, { 'a.bin': digits }), memoryFileBytes);
    const { etag = '' } = (await served.ask('/static/a.bin')).headers;
    const statusFor = async (ifRange: string) => {
      const headers = { Range: 'bytes=0-1', 'If-Range': ifRange };
      return (await served.ask('/static/a.bin', { headers })).status;
    };
    assert.equal(await statusFor(etag), 206);
    assert.equal(await statusFor(modified), 206);
    assert.equal(await statusFor(`W/${etag}`), 200);
    assert.equal(await statusFor('"other"'), 200);
    assert.equal(await statusFor('Wed, 01 May 2024 09:59:59 GMT'), 200);
  });
}

test('304 says what a cache needs, without length and body', async (t) => {
  const served = await serveTree(t, await makeFileTree(t, { 'app.css': 'x'.repeat(200) }));
  const { etag = '' } = (await served.ask('/static/app.css')).headers;
  const conditions = [
    { 'If-None-Match': etag },
    { 'If-None-Match': `"other", W/${etag}` },
    { 'If-None-Match': '*' },
    { 'If-Modified-Since': modified },
    { 'If-None-Match': etag, 'If-Modified-Since': 'Thu, 01 Jan 1970 00:00:00 GMT' },
    { 'If-None-Match': etag, Range: 'bytes=0-1' },
  ];
  for (const headers of conditions) {
    for (const method of ['GET', 'HEAD']) {
      const answer = await served.ask('/static/app.css', { method, headers });
      assert.equal(answer.status, 304, JSON.stringify(headers));
      assert.equal(answer.headers.etag, etag);
      assert.equal(answer.headers['cache-control'], 'no-cache');
      assert.equal(answer.headers.vary, 'Accept-Encoding');
      assert.match(String(answer.headers['x-request-id']), /^test-/);
      assert.equal(answer.headers['content-length'], undefined);
      assert.equal(answer.headers['content-type'], undefined);
      assert.equal(answer.body.length, 0);
    }
  }
  const stale = { 'If-None-Match': '"other"', 'If-Modified-Since': modified };
  assert.equal((await served.ask('/static/app.css', { headers: stale })).status, 200);
});

test('412 when If-Match names another version', async (t) => {
  const served = await serveTree(t, await makeFileTree(t, { 'app.css': digits }));
  const answer = await served.ask('/static/app.css', { headers: { 'If-Match': '"other"' } });
  assert.equal(answer.status, 412);
});

test('one connection serves files, parts and refusals in turn', async (t) => {
  const served = await serveTree(t, await makeFileTree(t, { a: digits, empty: '' }));
  const client = await rawConnection(t, `http://127.0.0.1:${served.port}`);
  const paths = ['a', 'empty', 'missing', 'a', '%zz', 'empty', 'a'];
  client.send(paths.map((below) => `GET /static/${below} HTTP/1.1\r\nHost: x\r\n\r\n`).join(''));
  client.send('GET /static/a HTTP/1.1\r\nHost: x\r\nConnection: close\r\nRange: bytes=3-3\r\n\r\n');
  const text = await client.readToEnd();
  const statuses = [...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status);
  assert.deepEqual(statuses, ['200', '200', '404', '200', '400', '200', '200', '206']);
  assert.ok(text.endsWith('\r\n\r\n3'));
});

test('names that are not ASCII, escaped as browsers do and raw as others do', async (t) => {
  const served = await serveTree(
    t,
    await makeFileTree(t, { 'grüße/日本.txt': 'hello', '100%.txt': 'percent' }),
  );
  assert.equal((await served.ask(encodeURI('/static/grüße/日本.txt'))).body.toString(), 'hello');
  assert.equal((await served.ask('/static/100%25.txt')).body.toString(), 'percent');
});

const refusals: [path: string, status: number][] = [
  ['/static/missing.css', 404],
  ['/static/', 404],
  ['/static/css', 404],
  ['/static/css/', 404],
  ['/static/css/app.css/', 404],
  ['/static/css/app.css/more', 404],
  ['/static//css/app.css', 404],
  ['/static/css//app.css', 404],
  ['/static/./css/app.css', 404],
  ['/static/css/../css/app.css', 404],
  ['/static/../secret', 404],
  ['/static/%2e%2e/secret', 404],
  ['/static/..%2fsecret', 404],
  ['/static/%2e%2e%2fsecret', 404],
  ['/static/css%2fapp.css', 404],
  ['/static/css\\app.css', 404],
  ['/static/..\\secret', 404],
  ['/static/..%5csecret', 404],
  ['/static/%252e%252e/secret', 404],
  ['/static/link-out', 404],
  ['/static/link-out-folder/secret', 404],
  ['/static/.env', 404],
  ['/static/CSS/app.css', 404],
  ['/static/css/app.css%20', 404],
  ['/static/constructor', 404],
  ['/static/__proto__', 404],
  [`/static/${'a'.repeat(5000)}`, 404],
  ['/static/%', 400],
  ['/static/%zz', 400],
  ['/static/%ff', 400],
  ['/static/%c0%ae%c0%ae/secret', 400],
  ['/static/css/app.css%00', 400],
  ['/static/%00', 400],
];

for (const [path, status] of refusals) {
  test(`${path.slice(0, 60)}: ${status}, and no file`, async (t) => {
    const base = await makeFileTree(t, {
      secret: 'SECRET',
      'root/css/app.css': digits,
      'root/.env': 'SECRET',
    });
    const root = join(base, 'root');
    await symlink(join(base, 'secret'), join(root, 'link-out'));
    await symlink(base, join(root, 'link-out-folder'));
    const served = await serveTree(t, root);
    const answer = await served.ask(path);
    assert.equal(answer.status, status);
    assert.match(answer.headers['content-type'] ?? '', /^text\/html/);
    assert.match(String(answer.headers['x-request-id']), /^test-/);
    assert.ok(!answer.body.includes('SECRET') && !answer.body.includes(digits));
  });
}

for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS']) {
  test(`${method}: 405, on a file and on nothing`, async (t) => {
    const served = await serveTree(t, await makeFileTree(t, { 'app.css': digits }));
    for (const path of ['/static/app.css', '/static/missing']) {
      const answer = await served.ask(path, { method });
      assert.equal(answer.status, 405);
      assert.equal(answer.headers.allow, 'GET, HEAD');
    }
  });
}

test('what is not below the prefix is left to others', async (t) => {
  const served = await serveTree(t, await makeFileTree(t, { 'app.css': digits }));
  for (const path of ['/', '/static', '/statics/app.css', '/app.css', '/x/static/app.css', '/%ff']) {
    assert.equal((await served.ask(path)).status, 299, path);
  }
});
