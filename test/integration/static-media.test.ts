import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, brotliDecompressSync, gunzipSync, gzipSync } from 'node:zlib';
import { addDjangoSettings } from '../support/django-settings.js';
import type { Easyserve } from '../support/easyserve.js';
import { forEachMode } from '../support/for-each-mode.js';
import { ask } from '../support/http-client.js';
import { startEasyserve } from '../support/start-easyserve.js';

const oneYear = 'max-age=31536000, public, immutable';
const digits = '0123456789';
const script = `${'// the same line again and again\n'.repeat(100)}`;

/** Files of each kind, beside what the site has by itself. */
function prepareFiles(dir: string): void {
  const statics = join(dir, 'journal', 'static', 'journal');
  const media = join(dir, 'media');
  const wellKnown = join(dir, 'well-known');
  for (const folder of [join(media, 'folder'), wellKnown]) mkdirSync(folder, { recursive: true });
  writeFileSync(join(statics, 'digits.bin'), digits);
  writeFileSync(join(statics, 'looks.0123456789ab.js'), script);
  writeFileSync(join(statics, 'packed.js'), script);
  writeFileSync(join(statics, 'packed.js.br'), brotliCompressSync(`br${script}`));
  writeFileSync(join(statics, 'packed.js.gz'), gzipSync(`gz${script}`));
  // Node 20 cannot make this one, and nobody looks inside.
  writeFileSync(join(statics, 'packed.js.zst'), 'zst');
  writeFileSync(join(media, 'digits.bin'), digits);
  writeFileSync(join(media, 'page.html'), '<script>alert(document.cookie)</script>');
  writeFileSync(join(media, 'drawing.svg'), '<svg xmlns="http://www.w3.org/2000/svg"/>');
  writeFileSync(join(media, 'notes.txt'), script);
  writeFileSync(join(media, '.hidden'), 'hidden');
  writeFileSync(join(wellKnown, 'security.txt'), 'Contact: mailto:admin@example.org\n');
  addDjangoSettings(dir, ["EASYSERVER = {'WELL_KOWN_ROOT': str(BASE_DIR / 'well-known')}"]);
}

/** The URL that a page of the site has for a static file. */
async function hashedUrl(site: Easyserve, pattern: RegExp): Promise<string> {
  const { text } = await ask(site.url, '/');
  const [url] = pattern.exec(text) ?? assert.fail(`no ${pattern} in the page`);
  return url;
}

forEachMode(['single', 'cluster'], (mode, testIn) => {
  testIn('static files that collectstatic has hashed', async (t) => {
    const site = await startEasyserve(t, { fixture: 'django-site', mode, prepare: prepareFiles });

    await t.test('hashed names never change; the others are asked for again', async () => {
      const url = await hashedUrl(site, /\/static\/journal\/journal\.[0-9a-f]{12}\.css/);
      const hashed = await ask(site.url, url);
      assert.equal(hashed.status, 200);
      assert.equal(hashed.headers['cache-control'], oneYear);
      assert.equal(hashed.headers['content-type'], 'text/css; charset=utf-8');
      // Its own references are hashed as well.
      assert.match(hashed.text, /url\("paper\.[0-9a-f]{12}\.png"\)/);
      for (const name of ['journal.css', 'looks.0123456789ab.js']) {
        const plain = await ask(site.url, `/static/journal/${name}`);
        assert.equal(plain.status, 200, name);
        assert.equal(plain.headers['cache-control'], 'no-cache', name);
        assert.match(plain.headers.etag ?? '', /^"[^"]+"$/);
        assert.ok(plain.headers['last-modified']);
      }
    });

    await t.test('304 for a file that the browser has', async () => {
      const url = await hashedUrl(site, /\/static\/journal\/mark\.[0-9a-f]{12}\.svg/);
      const { headers } = await ask(site.url, url);
      for (const condition of [
        { 'If-None-Match': headers.etag },
        { 'If-None-Match': `"other", W/${headers.etag}` },
        { 'If-Modified-Since': headers['last-modified'] },
      ]) {
        const again = await ask(site.url, url, { headers: condition });
        assert.equal(again.status, 304);
        assert.equal(again.body.length, 0);
        assert.equal(again.headers.etag, headers.etag);
        assert.equal(again.headers['cache-control'], oneYear);
      }
      const changed = { 'If-None-Match': '"other"', 'If-Modified-Since': headers['last-modified'] };
      assert.equal((await ask(site.url, url, { headers: changed })).status, 200);
    });

    await t.test('siblings .br, .zst and .gz are used as they are', async () => {
      const url = '/static/journal/packed.js';
      const br = await ask(site.url, url, { headers: { 'Accept-Encoding': 'gzip, deflate, br' } });
      assert.equal(br.headers['content-encoding'], 'br');
      assert.equal(brotliDecompressSync(br.body).toString(), `br${script}`);
      const gzip = await ask(site.url, url, { headers: { 'Accept-Encoding': 'gzip, br;q=0' } });
      assert.equal(gzip.headers['content-encoding'], 'gzip');
      assert.equal(gunzipSync(gzip.body).toString(), `gz${script}`);
      const zstd = await ask(site.url, url, { headers: { 'Accept-Encoding': 'zstd' } });
      assert.equal(zstd.headers['content-encoding'], 'zstd');
      assert.equal(zstd.text, 'zst');
      const plain = await ask(site.url, url);
      assert.equal(plain.headers['content-encoding'], undefined);
      assert.equal(plain.text, script);
      const tags = new Set([br, gzip, zstd, plain].map(({ headers }) => headers.etag));
      assert.equal(tags.size, 4);
      for (const { headers } of [br, gzip, zstd, plain]) {
        assert.equal(headers.vary, 'Accept-Encoding');
        assert.equal(headers['content-type'], 'text/javascript; charset=utf-8');
      }
    });

    await t.test('text without siblings is compressed; pictures are not', async () => {
      const url = await hashedUrl(site, /\/static\/journal\/journal\.[0-9a-f]{12}\.css/);
      const plain = await ask(site.url, url);
      const unpack = { br: brotliDecompressSync, gzip: gunzipSync };
      for (const encoding of ['br', 'gzip'] as const) {
        // The second answer comes from memory.
        for (let round = 0; round < 2; round += 1) {
          const packed = await ask(site.url, url, { headers: { 'Accept-Encoding': encoding } });
          assert.equal(packed.headers['content-encoding'], encoding);
          assert.equal(packed.headers.vary, 'Accept-Encoding');
          assert.ok(packed.body.length < plain.body.length / 2);
          assert.deepEqual(unpack[encoding](packed.body), plain.body);
        }
      }
      const png = await ask(site.url, '/static/journal/paper.png', {
        headers: { 'Accept-Encoding': 'br, gzip' },
      });
      assert.equal(png.headers['content-encoding'], undefined);
      assert.equal(png.headers.vary, undefined);
      assert.deepEqual(png.body, readFileSync(join(site.dir, 'journal/static/journal/paper.png')));
    });

    await t.test('pages are compressed as well', async () => {
      const page = await ask(site.url, '/', { headers: { 'Accept-Encoding': 'gzip' } });
      assert.equal(page.headers['content-encoding'], 'gzip');
      assert.match(gunzipSync(page.body).toString(), /Above the tree line/);
      assert.match(page.headers.vary ?? '', /Cookie.*Accept-Encoding/);
      const small = await ask(site.url, '/version', { headers: { 'Accept-Encoding': 'gzip' } });
      assert.equal(small.headers['content-encoding'], undefined);
    });

    await t.test('the access log counts what was sent', async () => {
      await ask(site.url, '/static/journal/digits.bin?logged');
      const record = await site.waitFor('access', ({ path }) => String(path).endsWith('?logged'));
      assert.equal(record.status, 200);
      assert.equal(record.bytes, digits.length);
    });

    for (const prefix of ['/static/journal/', '/media/']) {
      const url = `${prefix}digits.bin`;

      await t.test(`${prefix}: parts of a file`, async () => {
        const { etag } = (await ask(site.url, url)).headers;
        const parts: [range: string, body: string, contentRange: string][] = [
          ['bytes=2-4', '234', 'bytes 2-4/10'],
          ['bytes=7-', '789', 'bytes 7-9/10'],
          ['bytes=-3', '789', 'bytes 7-9/10'],
          ['bytes=-99', digits, 'bytes 0-9/10'],
          ['bytes=8-99', '89', 'bytes 8-9/10'],
        ];
        for (const [range, body, contentRange] of parts) {
          const part = await ask(site.url, url, { headers: { Range: range, 'If-Range': etag } });
          assert.equal(part.status, 206, range);
          assert.equal(part.text, body, range);
          assert.equal(part.headers['content-range'], contentRange);
          assert.equal(part.headers['content-length'], String(body.length));
        }
      });

      await t.test(`${prefix}: ranges that are answered with all of the file`, async () => {
        const ignored = [
          { Range: 'bytes=0-1,4-5' },
          { Range: 'bytes=5-2' },
          { Range: 'pages=1-2' },
          { Range: 'bytes=0-1', 'If-Range': '"other"' },
        ];
        for (const headers of ignored) {
          const whole = await ask(site.url, url, { headers });
          assert.equal(whole.status, 200, headers.Range);
          assert.equal(whole.text, digits);
          assert.equal(whole.headers['content-range'], undefined);
        }
      });

      await t.test(`${prefix}: a range beyond the end`, async () => {
        const beyond = await ask(site.url, url, { headers: { Range: 'bytes=10-' } });
        assert.equal(beyond.status, 416);
        assert.equal(beyond.headers['content-range'], 'bytes */10');
      });

      await t.test(`${prefix}: HEAD`, async () => {
        const get = await ask(site.url, url);
        const head = await ask(site.url, url, { method: 'HEAD', headers: { Range: 'bytes=0-1' } });
        assert.equal(head.status, 200);
        assert.equal(head.body.length, 0);
        for (const name of ['content-length', 'content-type', 'etag', 'last-modified', 'cache-control']) {
          assert.equal(head.headers[name], get.headers[name], name);
        }
      });

      await t.test(`${prefix}: reading only`, async () => {
        for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS']) {
          const refused = await ask(site.url, url, { method, body: 'abc' });
          assert.equal(refused.status, 405, method);
          assert.equal(refused.headers.allow, 'GET, HEAD');
        }
        assert.equal((await ask(site.url, url)).text, digits);
      });
    }

    await t.test('a folder is no page', async () => {
      const folders = ['/static/', '/static/journal', '/static/journal/', '/media/', '/media/folder'];
      for (const path of [...folders, '/media/folder/', '/.well-known/']) {
        assert.equal((await ask(site.url, path)).status, 404, path);
      }
    });

    await t.test('what users have uploaded can run no script on the site', async () => {
      for (const [name, type] of [
        ['page.html', 'text/html; charset=utf-8'],
        ['drawing.svg', 'image/svg+xml'],
      ] as const) {
        const { status, headers } = await ask(site.url, `/media/${name}`);
        assert.equal(status, 200);
        assert.equal(headers['content-type'], type);
        assert.equal(headers['content-security-policy'], 'sandbox');
        assert.equal(headers['x-content-type-options'], 'nosniff');
      }
      const { headers } = await ask(site.url, '/media/notes.txt');
      assert.equal(headers['content-security-policy'], undefined);
      assert.equal(headers['x-content-type-options'], 'nosniff');
      const drawing = await ask(site.url, '/static/journal/mark.svg');
      assert.equal(drawing.headers['content-security-policy'], undefined);
    });

    await t.test('media: 304, then the new content as soon as the file has changed', async () => {
      const path = join(site.dir, 'media', 'changing.txt');
      assert.equal((await ask(site.url, '/media/changing.txt')).status, 404);
      writeFileSync(path, 'one');
      const one = await ask(site.url, '/media/changing.txt');
      assert.equal(one.text, 'one');
      const condition = { 'If-None-Match': one.headers.etag };
      const again = await ask(site.url, '/media/changing.txt', { headers: condition });
      assert.equal(again.status, 304);
      assert.equal(again.body.length, 0);
      writeFileSync(path, 'and two');
      assert.equal((await ask(site.url, '/media/changing.txt', { headers: condition })).text, 'and two');
      rmSync(path);
      assert.equal((await ask(site.url, '/media/changing.txt')).status, 404);
    });

    await t.test('.well-known, by the name that django-easyserver gave the setting', async () => {
      const { status, text } = await ask(site.url, '/.well-known/security.txt');
      assert.equal(status, 200);
      assert.match(text, /admin@example\.org/);
    });
  });
});
