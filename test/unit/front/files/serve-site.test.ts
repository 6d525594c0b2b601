import assert from 'node:assert/strict';
import { chmod, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { LiveFolder } from '../../../../src/front/files/live-folder.js';
import { serveSite } from '../../../../src/front/files/serve-site.js';
import { FakeClock } from '../../../support/fake-clock.js';
import { makeFileTree } from '../../../support/file-tree.js';
import { RecordingLog } from '../../../support/recording-log.js';
import { type Answer, type ServedHandler, serveHandler } from '../../../support/serve-handler.js';

const page = `<!doctype html><title>home</title>${'<p>text</p>'.repeat(50)}`;

const files = {
  'index.html': page,
  'about.html': 'about',
  'guide/index.html': 'guide',
  'guide/ä b.html': 'umlaut',
  'bare/picture.svg': '<svg/>',
  '.well-known/security.txt': 'contact',
};

interface Serving {
  readonly fallback?: string;
  readonly memoryFileBytes?: number;
}

async function serveTree(
  t: TestContext,
  tree: Record<string, string | Buffer> = files,
  { fallback, memoryFileBytes = 65536 }: Serving = {},
): Promise<ServedHandler & { root: string; log: RecordingLog }> {
  const root = await makeFileTree(t, tree);
  const log = new RecordingLog();
  const options = { memoryFileBytes, compress: true, compressMinBytes: 100 };
  const folder = new LiveFolder(root, options, new FakeClock());
  return Object.assign(await serveHandler(t, serveSite({ folder, fallback }, log)), { root, log });
}

function expect(answer: Answer, status: number, body: string | RegExp): void {
  const text = answer.body.toString();
  assert.equal(answer.status, status, text);
  if (typeof body === 'string') assert.equal(text, body);
  else assert.match(text, body);
}

const ownMissingPage = /There is no such file here/;

test('folders are answered by their index.html, files by themselves', async (t) => {
  const served = await serveTree(t);
  const home = await served.ask('/');
  expect(home, 200, page);
  assert.equal(home.headers['content-type'], 'text/html; charset=utf-8');
  assert.equal(home.headers['cache-control'], 'no-cache');
  expect(await served.ask('/?utm=1'), 200, page);
  expect(await served.ask('/index.html'), 200, page);
  expect(await served.ask('/about.html'), 200, 'about');
  expect(await served.ask('/guide/'), 200, 'guide');
  expect(await served.ask('/guide/%C3%A4%20b.html'), 200, 'umlaut');
  expect(await served.ask('/.well-known/security.txt'), 200, 'contact');
});

test('a folder without its slash is sent on, with the query', async (t) => {
  const served = await serveTree(t, { ...files, 'a b/ü/index.html': 'deep' });
  const answer = await served.ask('/guide?page=2');
  expect(answer, 301, '');
  assert.equal(answer.headers.location, '/guide/?page=2');
  assert.equal((await served.ask('/a%20b/%c3%bc')).headers.location, '/a%20b/%C3%BC/');
  expect(await served.ask('/bare'), 404, ownMissingPage);
  expect(await served.ask('/bare/'), 404, ownMissingPage);
});

test('nobody is sent on to another host', async (t) => {
  const served = await serveTree(t, { ...files, 'example.org/index.html': 'a folder' });
  for (const path of [
    '//example.org',
    '/%2fexample.org',
    '/\\example.org',
    '/%5cexample.org',
    '//example.org/',
  ]) {
    const answer = await served.ask(path);
    assert.equal(answer.headers.location, undefined, path);
    assert.equal(answer.status, 404, path);
  }
  assert.equal((await served.ask('/example.org')).headers.location, '/example.org/');
});

test('conditions, ranges and compression are those of static files', async (t) => {
  const served = await serveTree(t);
  const { headers } = await served.ask('/');
  expect(await served.ask('/', { headers: { 'If-None-Match': headers.etag } }), 304, '');
  expect(await served.ask('/', { headers: { Range: 'bytes=0-8' } }), 206, '<!doctype');
  const compressed = await served.ask('/', { headers: { 'Accept-Encoding': 'gzip' } });
  assert.equal(compressed.headers['content-encoding'], 'gzip');
  assert.equal(gunzipSync(compressed.body).toString(), page);
  const head = await served.ask('/', { method: 'HEAD' });
  expect(head, 200, '');
  assert.equal(head.headers['content-length'], String(page.length));
});

test('what is hidden or not for visitors is missing, with a fallback too', async (t) => {
  const tree = {
    ...files,
    '.env': 'secret',
    '.git/config': 'secret',
    'guide/.htpasswd': 'secret',
    'easyserve.toml': 'secret',
    'easyserve.yaml': 'secret',
    'easyserve.json': 'secret',
    'node_modules/x/index.html': 'secret',
    'guide/node_modules/x.js': 'secret',
    'guide/easyserve.toml': 'a download',
  };
  const served = await serveTree(t, tree, { fallback: 'index.html' });
  const hidden = ['/.env', '/.git/config', '/guide/.htpasswd', '/.git', '/.git/'];
  const settings = [
    '/easyserve.toml',
    '/easyserve.yaml',
    '/easyserve.json',
    '/EasyServe.TOML',
    '/easyserve%2etoml',
  ];
  const packages = ['/node_modules', '/node_modules/x/', '/guide/node_modules/x.js', '/Node_Modules/x/'];
  for (const path of [...hidden, ...settings, ...packages]) {
    expect(await served.ask(path), 404, ownMissingPage);
  }
  expect(await served.ask('/guide/easyserve.toml'), 200, 'a download');
});

test('no path leads out of the folder', async (t) => {
  const served = await serveTree(t, files, { fallback: 'about.html' });
  const outside = await makeFileTree(t, { 'secret.txt': 'secret' });
  await symlink(outside, join(served.root, 'out'));
  const dots = [
    '/../secret.txt',
    '/guide/../../secret.txt',
    '/%2e%2e/secret.txt',
    '/..%2fsecret.txt',
    '/./about.html',
  ];
  for (const path of dots) expect(await served.ask(path), 404, ownMissingPage);
  expect(await served.ask('/out/secret.txt'), 200, 'about');
  for (const path of ['/%', '/%ff', '/a%00b']) expect(await served.ask(path), 400, /not well-formed/);
});

test('404.html is the page for what is missing: with status 404, compressed, and not kept', async (t) => {
  for (const memoryFileBytes of [65536, -1]) {
    const missingPage = `<h1>Not here</h1>${'<p>text</p>'.repeat(50)}`;
    const served = await serveTree(t, { ...files, '404.html': missingPage }, { memoryFileBytes });
    const answer = await served.ask('/nothing', { headers: { 'If-None-Match': '*', Range: 'bytes=0-1' } });
    expect(answer, 404, missingPage);
    assert.equal(answer.headers['content-type'], 'text/html; charset=utf-8');
    for (const name of ['etag', 'last-modified', 'accept-ranges']) {
      assert.equal(answer.headers[name], undefined, name);
    }
    const compressed = await served.ask('/.env', { headers: { 'Accept-Encoding': 'gzip' } });
    assert.equal(compressed.status, 404);
    assert.equal(gunzipSync(compressed.body).toString(), missingPage);
    const head = await served.ask('/nothing', { method: 'HEAD' });
    expect(head, 404, '');
    assert.equal(head.headers['content-length'], String(missingPage.length));
    expect(await served.ask('/404.html'), 200, missingPage);
  }
});

test('the fallback answers every path without a file, save for who wants no page', async (t) => {
  const served = await serveTree(t, { ...files, '404.html': 'not here' }, { fallback: 'index.html' });
  for (const path of ['/account', '/account/42', '/bare', '/bare/', '/guide/missing.html']) {
    const answer = await served.ask(path);
    expect(answer, 200, page);
    assert.equal(answer.headers['content-type'], 'text/html; charset=utf-8');
  }
  expect(await served.ask('/account', { headers: { Accept: 'text/html,application/xml;q=0.9' } }), 200, page);
  expect(await served.ask('/account', { headers: { Accept: '*/*' } }), 200, page);
  expect(await served.ask('/logo.png', { headers: { Accept: 'image/webp,image/*' } }), 404, 'not here');
  expect(await served.ask('/about.html', { headers: { Accept: 'image/*' } }), 200, 'about');
});

test('a fallback that has gone leaves the page for what is missing', async (t) => {
  const served = await serveTree(t, files, { fallback: 'gone.html' });
  expect(await served.ask('/account'), 404, ownMissingPage);
});

test('files can only be read', async (t) => {
  const served = await serveTree(t, files, { fallback: 'index.html' });
  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
    const answer = await served.ask('/', { method });
    assert.equal(answer.status, 405);
    assert.equal(answer.headers.allow, 'GET, HEAD');
  }
});

test('a file that may not be read is missing for the client, and named in the log', async (t) => {
  const served = await serveTree(t);
  await chmod(join(served.root, 'about.html'), 0);
  const answer = await served.ask('/about.html');
  // The superuser may read it all the same.
  if (process.getuid?.() === 0) expect(answer, 200, 'about');
  else {
    expect(answer, 404, ownMissingPage);
    assert.equal(served.log.all('file-unreadable').length, 1);
  }
});
