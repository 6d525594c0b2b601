import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Settings } from '../../../../src/settings/settings.js';
import { makeHttpWorld, serveUpstream } from '../../../support/http-world.js';

const page = 'a page that is worth its compression. '.repeat(100);
const tag = '"v1"';

/** Asks an application that knows conditions, and gives status and headers of the answer. */
async function askFor(t: TestContext, headers: readonly string[], settings: Partial<Settings> = {}) {
  const { path } = await serveUpstream(t, (request, response) => {
    response.setHeader('ETag', tag);
    response.setHeader('X-Request-ID', 'of-the-application');
    const { 'if-match': ifMatch, 'if-none-match': ifNoneMatch } = request.headers;
    if (request.url === '/file') response.setHeader('X-Sendfile', '/etc/hostname').end();
    else if (ifMatch !== undefined && ifMatch !== tag) response.writeHead(412).end();
    else if (ifNoneMatch?.replace('W/', '') === tag) response.writeHead(304).end();
    else response.setHeader('Content-Type', 'text/html').end(page);
  });
  const world = await makeHttpWorld(t, path, { settings });
  const [line = 'GET / HTTP/1.1', ...rest] = headers;
  const text = await world.served.exchange(
    [line, 'Host: h', 'Connection: close', ...rest, '\r\n'].join('\r\n'),
  );
  await world.served.log.until(() => world.served.log.accessRecords.length === 1, 'the access record');
  const [head = ''] = text.split('\r\n\r\n');
  const value = (name: string) => new RegExp(`^${name}: (.*)$`, 'im').exec(head)?.[1];
  return { status: Number(head.slice(9, 12)), value, record: world.served.log.accessRecords[0] };
}

const get = 'GET / HTTP/1.1';

test('a 304 has the ETag and the Vary of its 200, compressed or not', async (t) => {
  for (const encoding of ['gzip', 'identity']) {
    const first = await askFor(t, [get, `Accept-Encoding: ${encoding}`]);
    const etag = first.value('ETag');
    assert.equal(etag, encoding === 'gzip' ? 'W/"v1"' : '"v1"');
    const second = await askFor(t, [get, `Accept-Encoding: ${encoding}`, `If-None-Match: ${etag}`]);
    assert.equal(second.status, 304);
    assert.equal(second.value('ETag'), etag);
    assert.equal(second.value('Vary'), first.value('Vary'));
    assert.equal(first.value('Vary'), 'Accept-Encoding');
  }
});

test('If-Match takes the tag of a compressed page, and no other', async (t) => {
  assert.equal((await askFor(t, [get, 'Accept-Encoding: gzip', 'If-Match: W/"v1"'])).status, 200);
  assert.equal((await askFor(t, [get, 'If-Match: W/"v0"'])).status, 412);
});

test('X-Sendfile without roots is a 404 and a log line, and tells no client a path', async (t) => {
  const { status, value } = await askFor(t, ['GET /file HTTP/1.1']);
  assert.deepEqual([status, value('X-Sendfile')], [404, undefined]);
});

test('a trusted proxy gets it, which may send the file', async (t) => {
  const { status, value } = await askFor(t, ['GET /file HTTP/1.1'], { trustedProxies: ['127.0.0.1'] });
  assert.deepEqual([status, value('X-Sendfile')], [200, '/etc/hostname']);
});

test("the application's own X-Request-ID is kept, and logged beside ours", async (t) => {
  const { value, record } = await askFor(t, [get]);
  assert.equal(value('X-Request-ID'), 'of-the-application');
  assert.equal(record?.applicationRequestId, 'of-the-application');
  assert.notEqual(record?.requestId, 'of-the-application');
});
