import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeTempDir } from '../support/copy-fixture.js';
import { eventually } from '../support/eventually.js';
import { forEachMode } from '../support/for-each-mode.js';
import { ask } from '../support/http-client.js';
import { expectNoFailures, loadDuring } from '../support/load-during.js';
import { rawConnection } from '../support/raw-connection.js';
import { askSecurely, certificateFor, securePortOf, urlOf, writePair } from '../support/secure-client.js';
import { startEasyserve } from '../support/start-easyserve.js';
import { makeCertificate } from '../support/tls-material.js';

const certificate = await makeCertificate(['example.com', '*.example.com']);

forEachMode(['single', 'cluster'], (mode, testIn) => {
  testIn(
    'visitors are sent to HTTPS and to the one name, strangers nowhere, as the settings say',
    async (t) => {
      const pair = writePair(makeTempDir(t), 'site', certificate);
      const easyserve = await startEasyserve(t, {
        mode,
        fixture: 'wsgi-hello',
        inFile: true,
        settings: { httpsPort: 0, tls: pair, hsts: 'on' },
      });
      const plain = await urlOf(easyserve, 'http');
      const port = await securePortOf(easyserve);
      const host = (name: string) => ({ headers: { Host: `${name}:${new URL(plain).port}` } });

      const sent = await ask(plain, '/a%2Fb?c=d&e', host('WWW.example.com'));
      assert.equal(sent.status, 308);
      assert.equal(sent.headers.location, `https://www.example.com:${port}/a%2Fb?c=d&e`);
      assert.equal(sent.headers['strict-transport-security'], undefined);
      // Without a port it came through port 80, so somebody forwards the ports.
      const forwarded = await ask(plain, '/', { headers: { Host: 'example.com' } });
      assert.equal(forwarded.headers.location, 'https://example.com/');
      const posted = await ask(plain, '/echo', {
        method: 'POST',
        body: 'x'.repeat(100_000),
        ...host('example.com'),
      });
      assert.equal(posted.status, 308);
      assert.equal((await ask(plain, '/', host('evil.test'))).status, 421);
      assert.equal((await askSecurely(port, '/', { host: 'evil.test' })).status, 421);
      const secure = await askSecurely(port, '/', { host: `example.com:${port}` });
      assert.deepEqual(
        [secure.status, secure.headers['strict-transport-security']],
        [200, 'max-age=31536000'],
      );

      easyserve.writeSettings({ canonicalHost: 'www.example.com', hsts: 'ramp' });
      await easyserve.waitFor('reloaded');
      const canonical = await askSecurely(port, '/a?b', { host: `example.com:${port}` });
      assert.equal(canonical.headers.location, `https://www.example.com:${port}/a?b`);
      assert.equal(canonical.headers['strict-transport-security'], 'max-age=3600');
      const since = JSON.parse(readFileSync(join(easyserve.dir, '.easyserve', 'hsts.json'), 'utf8')).since;
      assert.ok(Date.parse(since) <= Date.now());
      assert.equal(
        (await ask(plain, '/', host('example.com'))).headers.location,
        `https://www.example.com:${port}/`,
      );

      easyserve.writeSettings({ redirectToHttps: false, canonicalHost: undefined, hsts: undefined });
      await easyserve.waitFor('reloaded');
      assert.equal((await ask(plain, '/', host('example.com'))).status, 200);
      assert.equal((await ask(plain, '/', host('evil.test'))).status, 400);
      const free = await askSecurely(port, '/', { host: 'example.com' });
      assert.deepEqual([free.status, free.headers['strict-transport-security']], [200, undefined]);
    },
  );

  testIn('HTTPS is switched on, moved and off by the settings file, and HTTP loses nothing', async (t) => {
    const pair = writePair(makeTempDir(t), 'site', certificate);
    const easyserve = await startEasyserve(t, { mode, fixture: 'wsgi-hello', inFile: true });
    const plain = await urlOf(easyserve, 'http');
    const asExample = { headers: { Host: 'example.com' } };
    let first = 0;
    const tally = await loadDuring(plain, { connections: 4 }, async () => {
      easyserve.writeSettings({ httpsPort: 0, tls: pair, redirectToHttps: false });
      await easyserve.waitFor('reloaded');
      first = await securePortOf(easyserve);
      assert.equal((await askSecurely(first, '/', { host: 'example.com' })).status, 200);
      assert.equal(await urlOf(easyserve, 'http'), plain);
    });
    expectNoFailures(tally, { atLeast: 20 });
    assert.equal((await easyserve.cli('restart')).code, 0);
    assert.equal(await securePortOf(easyserve), first, 'a restart keeps both sockets');
    assert.equal(await urlOf(easyserve, 'http'), plain);
    assert.equal((await askSecurely(first, '/', { host: 'example.com' })).status, 200);

    const kept = await rawConnection(t, plain);
    easyserve.writeSettings({ redirectToHttps: undefined });
    await easyserve.waitFor('reloaded');
    assert.equal((await ask(plain, '/', asExample)).status, 308);
    easyserve.writeSettings({ https: false });
    await easyserve.waitFor('reloaded');
    assert.equal((await ask(plain, '/', asExample)).status, 200, 'nobody is sent to where nothing listens');
    kept.send('GET / HTTP/1.1\r\nHost: example.com\r\n\r\n');
    assert.match(await kept.readUntil('Hello'), /^HTTP\/1\.1 200 /);
    await assert.rejects(certificateFor(first, 'example.com'), { code: 'ECONNREFUSED' });
    const { urls, certificates } = await easyserve.status();
    assert.deepEqual([urls, certificates], [[plain], []]);

    // A certificate that is wrong switches nothing on.
    easyserve.writeSettings({ https: true, tls: { cert: pair.key } });
    await easyserve.waitFor('reload-failed');
    assert.deepEqual((await easyserve.status()).urls, [plain]);
    easyserve.writeSettings({ https: true, tls: pair });
    await eventually(async () => assert.equal((await easyserve.status()).urls.length, 2));
    assert.equal(
      (await askSecurely(await securePortOf(easyserve), '/', { host: 'example.com' })).status,
      200,
    );
  });
});
