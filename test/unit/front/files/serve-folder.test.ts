import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { serveFolder } from '../../../../src/front/files/serve-folder.js';
import { eventually } from '../../../support/eventually.js';
import { countOpenFiles, fileTime, makeFileTree, putFile } from '../../../support/file-tree.js';
import { RecordingLog } from '../../../support/recording-log.js';
import { serveFiles } from '../../../support/serve-folder.js';
import { serveHandler } from '../../../support/serve-handler.js';

const digits = '0123456789';
const modified = fileTime.toUTCString();

test('GET: the file with all that is known about it', async (t) => {
  const { served } = await serveFiles(t, { 'photos/a b.png': digits });
  const { status, headers, body } = await served.ask('/media/photos/a%20b.png?size=1');
  assert.equal(status, 200);
  assert.equal(body.toString(), digits);
  assert.equal(headers['content-type'], 'image/png');
  assert.equal(headers['content-length'], '10');
  assert.equal(headers['cache-control'], 'max-age=3600');
  assert.equal(headers['last-modified'], modified);
  assert.equal(headers['accept-ranges'], 'bytes');
  assert.equal(headers['x-content-type-options'], 'nosniff');
  assert.equal(headers['content-security-policy'], undefined);
  assert.equal(headers['x-request-id'], 'test-1');
  assert.match(headers.etag ?? '', /^"[^"]+"$/);
  assert.equal(served.exchanges[0]?.bodyBytes, 10);
});

test('HEAD: the headers of GET, and no body', async (t) => {
  const { served, root } = await serveFiles(t, { 'a.png': digits });
  const get = await served.ask('/media/a.png');
  for (const headers of [{}, { Range: 'bytes=0-1' }]) {
    const head = await served.ask('/media/a.png', { method: 'HEAD', headers });
    const ignored = { date: '', 'x-request-id': '' };
    assert.equal(head.status, 200);
    assert.deepEqual({ ...head.headers, ...ignored }, { ...get.headers, ...ignored });
    assert.equal(head.body.length, 0);
  }
  await eventually(async () => assert.equal(await countOpenFiles(root), 0));
});

test('an empty file', async (t) => {
  const { served, root } = await serveFiles(t, { 'empty.txt': '' });
  const whole = await served.ask('/media/empty.txt');
  assert.equal(whole.status, 200);
  assert.equal(whole.headers['content-length'], '0');
  assert.equal((await served.ask('/media/empty.txt', { headers: { Range: 'bytes=0-0' } })).status, 416);
  await eventually(async () => assert.equal(await countOpenFiles(root), 0));
});

const ranges: [range: string, status: number, body: string | undefined, contentRange: string | undefined][] =
  [
    ['bytes=0-0', 206, '0', 'bytes 0-0/10'],
    ['bytes=2-4', 206, '234', 'bytes 2-4/10'],
    ['bytes=7-', 206, '789', 'bytes 7-9/10'],
    ['bytes=-2', 206, '89', 'bytes 8-9/10'],
    ['bytes=-99', 206, digits, 'bytes 0-9/10'],
    ['bytes=8-99', 206, '89', 'bytes 8-9/10'],
    ['bytes=5-2', 200, digits, undefined],
    ['bytes=10-', 416, undefined, 'bytes */10'],
    ['bytes=0-1,4-5', 200, digits, undefined],
    ['pages=1-2', 200, digits, undefined],
  ];
for (const [range, status, body, contentRange] of ranges) {
  test(`${range}: ${status}`, async (t) => {
    const { served, root } = await serveFiles(t, { 'a.mp4': digits });
    const answer = await served.ask('/media/a.mp4', { headers: { Range: range } });
    assert.equal(answer.status, status);
    assert.equal(answer.headers['content-range'], contentRange);
    if (body !== undefined) {
      assert.equal(answer.body.toString(), body);
      assert.equal(served.exchanges[0]?.bodyBytes, body.length);
    } else {
      assert.match(answer.headers['content-type'] ?? '', /^text\/html/);
      assert.equal(answer.headers['cache-control'], 'no-store');
      assert.equal(answer.headers.etag, undefined);
    }
    await eventually(async () => assert.equal(await countOpenFiles(root), 0));
  });
}

test('If-Range: the part of this version only', async (t) => {
  const { served } = await serveFiles(t, { 'a.mp4': digits });
  const { etag = '' } = (await served.ask('/media/a.mp4')).headers;
  const statusFor = async (ifRange: string) => {
    const headers = { Range: 'bytes=0-1', 'If-Range': ifRange };
    return (await served.ask('/media/a.mp4', { headers })).status;
  };
  assert.equal(await statusFor(etag), 206);
  assert.equal(await statusFor(modified), 206);
  assert.equal(await statusFor(`W/${etag}`), 200);
  assert.equal(await statusFor('"other"'), 200);
});

test('conditions: 304 and 412, with no descriptor left open', async (t) => {
  const { served, root } = await serveFiles(t, { 'a.png': digits });
  const { etag = '' } = (await served.ask('/media/a.png')).headers;
  for (const headers of [
    { 'If-None-Match': etag },
    { 'If-None-Match': `"x", W/${etag}` },
    { 'If-None-Match': '*' },
    { 'If-Modified-Since': modified },
  ]) {
    const answer = await served.ask('/media/a.png', { headers });
    assert.equal(answer.status, 304, JSON.stringify(headers));
    assert.equal(answer.headers.etag, etag);
    assert.equal(answer.headers['cache-control'], 'max-age=3600');
    assert.match(String(answer.headers['x-request-id']), /^test-/);
    assert.equal(answer.headers['content-length'], undefined);
  }
  const stale = { 'If-None-Match': '"x"', 'If-Modified-Since': modified };
  assert.equal((await served.ask('/media/a.png', { headers: stale })).status, 200);
  assert.equal((await served.ask('/media/a.png', { headers: { 'If-Match': '"x"' } })).status, 412);
  await eventually(async () => assert.equal(await countOpenFiles(root), 0));
});

const types: [name: string, type: string, isSandboxed: boolean][] = [
  ['page.html', 'text/html; charset=utf-8', true],
  ['page.HTM', 'text/html; charset=utf-8', true],
  ['page.xhtml', 'application/xhtml+xml', true],
  ['drawing.svg', 'image/svg+xml', true],
  ['data.xml', 'application/xml', true],
  ['style.xsl', 'application/xml', true],
  ['script.js', 'text/javascript; charset=utf-8', true],
  ['mail.eml', 'message/rfc822', true],
  ['photo.jpg', 'image/jpeg', false],
  ['film.mp4', 'video/mp4', false],
  ['paper.pdf', 'application/pdf', false],
  ['notes.txt', 'text/plain; charset=utf-8', false],
  ['thing.qqq', 'application/octet-stream', false],
  ['no-extension', 'application/octet-stream', false],
];
for (const [name, type, isSandboxed] of types) {
  test(`an uploaded ${name} is ${type}${isSandboxed ? ', in a sandbox' : ''}`, async (t) => {
    const { served } = await serveFiles(t, { [name]: '<script>alert(1)</script>' });
    const { headers } = await served.ask(`/media/${name}`);
    assert.equal(headers['x-content-type-options'], 'nosniff');
    assert.equal(headers['content-security-policy'], isSandboxed ? 'sandbox' : undefined);
    assert.equal(headers['content-type'], type);
  });
}

test("the site's own files are not sandboxed", async (t) => {
  const { served } = await serveFiles(
    t,
    { 'a.html': digits },
    { userContent: false, prefix: '/.well-known/' },
  );
  const { status, headers } = await served.ask('/.well-known/a.html');
  assert.equal(status, 200);
  assert.equal(headers['content-security-policy'], undefined);
});

test('a symlink inside the root is followed, and so is a root that is one', async (t) => {
  const base = await makeFileTree(t, { 'real/a.png': digits });
  await symlink('real', join(base, 'root'));
  await symlink('a.png', join(base, 'real/b.png'));
  const folder = { prefix: '/media/', root: join(base, 'root'), maxAgeSeconds: 0, userContent: true };
  const served = await serveHandler(t, serveFolder(folder, new RecordingLog()));
  assert.equal((await served.ask('/media/b.png')).body.toString(), digits);
});

test('a root that is not there yet is empty, and served once it is there', async (t) => {
  const base = await makeFileTree(t, {});
  const folder = { prefix: '/media/', root: join(base, 'later'), maxAgeSeconds: 0, userContent: true };
  const served = await serveHandler(t, serveFolder(folder, new RecordingLog()));
  assert.equal((await served.ask('/media/a.png')).status, 404);
  await putFile(join(base, 'later/a.png'), digits);
  assert.equal((await served.ask('/media/a.png')).status, 200);
});

test('an upload that replaces a file is seen at once', async (t) => {
  const { served, root } = await serveFiles(t, { 'a.png': digits });
  const before = await served.ask('/media/a.png');
  await putFile(join(root, 'a.png'), 'another', new Date());
  const headers = { 'If-None-Match': before.headers.etag };
  const after = await served.ask('/media/a.png', { headers });
  assert.equal(after.status, 200);
  assert.equal(after.body.toString(), 'another');
});

test('names that are not ASCII, and percent signs, are found', async (t) => {
  const { served } = await serveFiles(t, {
    'grüße/日本.txt': 'hello',
    '100%.txt': 'percent',
    '%41.txt': 'escape',
  });
  assert.equal((await served.ask(encodeURI('/media/grüße/日本.txt'))).body.toString(), 'hello');
  assert.equal((await served.ask('/media/100%25.txt')).body.toString(), 'percent');
  assert.equal((await served.ask('/media/%2541.txt')).body.toString(), 'escape');
  assert.equal((await served.ask('/media/%41.txt')).status, 404);
});

test('a FIFO is missing, at once', async (t) => {
  const { served, root } = await serveFiles(t, {});
  execFileSync('mkfifo', [join(root, 'fifo')]);
  assert.equal((await served.ask('/media/fifo')).status, 404);
});

for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
  test(`${method}: 405`, async (t) => {
    const { served } = await serveFiles(t, { 'a.png': digits });
    const answer = await served.ask('/media/a.png', { method });
    assert.equal(answer.status, 405);
    assert.equal(answer.headers.allow, 'GET, HEAD');
  });
}

test('what is not below the prefix is left to others', async (t) => {
  const { served } = await serveFiles(t, { 'a.png': digits });
  for (const path of ['/', '/media', '/mediation/a.png', '/a.png']) {
    assert.equal((await served.ask(path)).status, 299, path);
  }
});
