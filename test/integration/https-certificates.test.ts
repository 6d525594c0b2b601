import assert from 'node:assert/strict';
import { createPrivateKey } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { copyFixture, makeTempDir } from '../support/copy-fixture.js';
import { eventually } from '../support/eventually.js';
import { forEachMode, integrationTimeoutMs } from '../support/for-each-mode.js';
import { expectNoFailures, loadDuring } from '../support/load-during.js';
import { killProcess } from '../support/processes.js';
import { runEasyserve } from '../support/run-easyserve.js';
import {
  askSecurely,
  certificateFor,
  openHttp2,
  securePortOf,
  trust,
  untilServed,
  urlOf,
  writePair,
} from '../support/secure-client.js';
import { startEasyserve } from '../support/start-easyserve.js';
import { makeCertificate } from '../support/tls-material.js';

const root = await makeCertificate([], { commonName: 'test root', isAuthority: true });
const dayMs = 86_400_000;

const issue = (...names: string[]) => makeCertificate(names, { issuer: root });

forEachMode(['single', 'cluster'], (mode, testIn) => {
  testIn(
    'own certificates: by name, with a wildcard, with an encrypted key, replaced under load',
    async (t) => {
      const folder = makeTempDir(t);
      const [shop, wild, blog] = await Promise.all([
        issue('shop.test', '127.0.0.1'),
        issue('*.shop.test'),
        issue('blog.test'),
      ]);
      const cipher = { cipher: 'aes-256-cbc', passphrase: 'correct horse' };
      const keyPem = createPrivateKey(blog.keyPem).export({ type: 'pkcs8', format: 'pem', ...cipher });
      const first = writePair(folder, 'shop', shop);
      const passphraseFile = join(folder, 'passphrase');
      writeFileSync(passphraseFile, 'correct horse\n', { mode: 0o600 });
      const locked = writePair(folder, 'blog', { ...blog, keyPem: String(keyPem) });
      const easyserve = await startEasyserve(t, {
        mode,
        fixture: 'wsgi-hello',
        prepare: (dir) =>
          writeFileSync(
            join(dir, 'easyserve.toml'),
            `httpsPort = 0
           fronts = ${mode === 'cluster' ? 2 : '"auto"'}
           [tls]
           cert = "${first.cert}"
           key = "${first.key}"
           [[tls.certificates]]
           cert = "${writePair(folder, 'wild', wild).cert}"
           key = "${join(folder, 'wild.key')}"
           [[tls.certificates]]
           cert = "${locked.cert}"
           key = "${locked.key}"
           passphraseFile = "${passphraseFile}"
`,
          ),
      });
      const port = await securePortOf(easyserve);
      const ca = root.certificatePem;
      for (const host of ['shop.test', 'www.shop.test', 'BLOG.test', '127.0.0.1']) {
        const { status, text } = await askSecurely(port, '/', { host, ca });
        assert.deepEqual([status, /Hello from WSGI/.test(text)], [200, true], host);
      }
      const other = await certificateFor(port, 'a.b.shop.test');
      assert.equal(other.trim(), shop.certificatePem.trim(), 'the first of all');

      const session = await openHttp2(t, port, { host: 'shop.test', ca });
      const renewed = await issue('shop.test', '127.0.0.1');
      const load = { connections: 4, host: 'shop.test', tls: trust('shop.test', ca) };
      const tally = await loadDuring(await urlOf(easyserve, 'https'), load, async () => {
        writeFileSync(first.key, renewed.keyPem);
        writeFileSync(first.cert, renewed.certificatePem);
        await untilServed(port, 'shop.test', renewed);
      });
      expectNoFailures(tally, { atLeast: 20 });
      assert.equal(session.closed, false, 'connections go on');

      // A pair that does not fit: told, and the good one stays. The status has the reason.
      writeFileSync(first.key, wild.keyPem);
      const rejected = await easyserve.waitFor('certificate-rejected');
      assert.equal(rejected.code, 'certificate-key-mismatch');
      await untilServed(port, 'shop.test', renewed);
      const text = (await easyserve.cli('status')).stdout;
      assert.match(text, /^shop\.test, 127\.0\.0\.1 +failing +easyserve test root +\d{4}-\d\d-\d\d \(in /m);
      assert.match(
        text,
        /^shop\.test, 127\.0\.0\.1: The private key in .* does not belong to the certificate/m,
      );
      assert.match(text, /^ {2}fix: /m);
      const [status] = (await easyserve.status()).certificates;
      assert.deepEqual([status?.state, status?.lastError?.code], ['failing', 'certificate-key-mismatch']);
      const refused = await easyserve.cli('reload');
      assert.equal(refused.code, 9);
      assert.match(refused.stderr, /does not belong to the certificate/);
      const restart = await easyserve.cli('restart');
      assert.equal(restart.code, 3, 'a restart looks first, too');
      assert.match(restart.stderr, /the old release still serves/);
      await untilServed(port, 'shop.test', renewed);

      // Mended: the next reload is taken, and a worker that comes anew has what the others have.
      writeFileSync(first.key, renewed.keyPem);
      await eventually(async () => assert.equal((await easyserve.status()).certificates[0]?.state, 'valid'));
      assert.equal((await easyserve.cli('reload')).code, 0);
      if (mode === 'cluster') {
        const [worker = 0, kept = 0] = await easyserve.sitePids();
        killProcess(worker, 'SIGKILL');
        await easyserve.waitFor('worker-ready');
        killProcess(kept, 'SIGSTOP');
        try {
          assert.equal((await askSecurely(port, '/', { host: 'shop.test', ca })).status, 200);
        } finally {
          killProcess(kept, 'SIGCONT');
        }
      }
      assert.equal((await easyserve.cli('restart')).code, 0);
      assert.equal(await securePortOf(easyserve), port);
      await untilServed(port, 'shop.test', renewed);
    },
  );

  testIn('for development: its own certificate, signed by a root that can be trusted', async (t) => {
    const acmeFolder = makeTempDir(t);
    const easyserve = await startEasyserve(t, {
      mode,
      fixture: 'wsgi-hello',
      settings: { acmeFolder, httpsPort: 0 },
      args: ['--https'],
    });
    const note = easyserve.records.find(({ event }) => event === 'local-certificate');
    assert.match(String(note?.hint), /import .*local-authority\.crt/);
    const ca = readFileSync(join(acmeFolder, 'local-authority.crt'), 'utf8');
    const port = await securePortOf(easyserve);
    for (const host of ['localhost', '127.0.0.1']) {
      const answer = await askSecurely(port, '/', { host: `${host}:${port}`, ca });
      assert.equal(answer.status, 200);
      assert.equal(answer.headers['strict-transport-security'], undefined);
    }
    const plain = await fetch(await urlOf(easyserve, 'http'), { redirect: 'manual' });
    assert.equal(plain.status, 200, 'nobody is sent to a warning');
    assert.deepEqual((await easyserve.status()).certificates, []);
  });
});

test('a start with a certificate that is wrong ends with the reason, and with exit code 3', {
  timeout: integrationTimeoutMs,
}, async (t) => {
  const dir = copyFixture('wsgi-hello', join(makeTempDir(t), 'site'));
  const [one, other] = await Promise.all([issue('one.test'), issue('other.test')]);
  const { cert, key } = writePair(dir, 'one', { ...one, keyPem: other.keyPem });
  const start = (...flags: string[]) =>
    runEasyserve(['start', '--host', '127.0.0.1', '--port', '0', '--set', 'httpsPort=0', ...flags], {
      cwd: dir,
    });
  const mismatch = await start('--set', `tls.cert=${cert}`, '--set', `tls.key=${key}`);
  assert.equal(mismatch.code, 3, mismatch.stderr);
  assert.match(mismatch.stderr, /does not belong to the certificate/);
  assert.match(mismatch.stderr, /fix: /);
  const missing = await start('--set', 'tls.cert=missing.pem');
  assert.equal(missing.code, 3, missing.stderr);
  assert.match(missing.stderr, /missing\.pem cannot be read: there is no such file/);
});

test('a start with a certificate that has expired serves what it can', {
  timeout: integrationTimeoutMs,
}, async (t) => {
  const folder = makeTempDir(t);
  const expired = await makeCertificate(['old.test'], { notAfterMs: Date.now() - dayMs / 2 });
  const { cert, key } = writePair(folder, 'old', expired);
  const easyserve = await startEasyserve(t, {
    mode: 'single',
    fixture: 'wsgi-hello',
    settings: { httpsPort: 0, tls: { cert, key } },
  });
  const rejected = easyserve.records.find(({ event }) => event === 'certificate-rejected');
  assert.equal(rejected?.code, 'certificate-expired');
  assert.equal((await fetch(await urlOf(easyserve, 'http'))).status, 200);
  const renewed = await issue('old.test');
  writePair(folder, 'old', renewed);
  const port = await securePortOf(easyserve);
  await untilServed(port, 'old.test', renewed);
});
