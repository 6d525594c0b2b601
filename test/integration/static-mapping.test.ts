import assert from 'node:assert/strict';
import { gzipSync } from 'node:zlib';
import { forEachMode } from '../support/for-each-mode.js';
import { ask } from '../support/http-client.js';
import { putFiles } from '../support/put-files.js';
import { startEasyserve } from '../support/start-easyserve.js';

const script = 'console.log("a bundle");\n'.repeat(100);
const packed = gzipSync(script);

// The setting `static`: folders that the front serves beside any application.
forEachMode(['single', 'cluster'], (mode, testIn) => {
  testIn('folders are served by prefix, in front of the application', async (t) => {
    const site = await startEasyserve(t, {
      fixture: 'wsgi-hello',
      mode,
      settings: {
        static: { '/assets': 'dist', '/assets/docs/': 'docs', '/': 'public', '/gone/': 'nowhere' },
      },
      prepare: (dir) =>
        putFiles(dir, {
          'dist/app.js': script,
          'dist/app.js.gz': packed,
          'dist/index.html': 'the bundle',
          'dist/.env': 'secret',
          'docs/read.txt': 'docs',
          'public/robots.txt': 'robots',
          'public/version': 'hidden by nobody',
        }),
    });

    const bundle = await ask(site.url, '/assets/app.js', { headers: { 'Accept-Encoding': 'gzip' } });
    assert.equal(bundle.headers['content-encoding'], 'gzip');
    assert.deepEqual(bundle.body, packed);
    assert.equal(bundle.headers['x-fixture-version'], undefined);
    const etag = String(bundle.headers.etag);
    const known = { 'Accept-Encoding': 'gzip', 'If-None-Match': etag };
    assert.equal((await ask(site.url, '/assets/app.js', { headers: known })).status, 304);
    assert.equal(
      (await ask(site.url, '/assets/app.js', { headers: { Range: 'bytes=0-6' } })).text,
      'console',
    );
    assert.equal((await ask(site.url, '/assets/docs/read.txt')).text, 'docs');

    for (const path of [
      '/assets/',
      '/assets/missing.js',
      '/assets/.env',
      '/assets/%2e%2e/app.py',
      '/gone/x',
    ]) {
      const answer = await ask(site.url, path);
      assert.equal(answer.status, 404, path);
      assert.equal(answer.headers['x-fixture-version'], undefined, path);
    }
    assert.equal((await ask(site.url, '/assets/app.js', { method: 'POST' })).status, 405);

    // Below / the application answers for all that is no file.
    assert.equal((await ask(site.url, '/robots.txt')).text, 'robots');
    assert.equal((await ask(site.url, '/version')).text, 'hidden by nobody');
    for (const path of ['/', '/echo?x=1', '/assetsx']) {
      assert.equal((await ask(site.url, path)).headers['x-fixture-version'], 'v1', path);
    }
    const missing = site.records.find(({ event }) => event === 'static-root-missing');
    assert.match(String(missing?.msg), /^the folder of static \/gone\/ is not there/);

    site.writeFile('dist/new.js', 'new');
    assert.equal((await ask(site.url, '/assets/new.js')).status, 404, 'it is no part of this release');
    assert.equal((await site.cli('reload')).code, 0);
    assert.equal((await ask(site.url, '/assets/new.js')).text, 'new');
  });
});
