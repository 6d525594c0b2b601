import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Background } from '../support/background.js';
import { copyFixture, makeTempDir } from '../support/copy-fixture.js';
import { integrationTimeoutMs } from '../support/for-each-mode.js';
import { ask } from '../support/http-client.js';
import { repositoryRoot } from '../support/repository.js';

// What README tells to type, in a prefix of its own: scripts/package, then `npm install --global ./easyserve-cli-….tgz`.
test('the package serves a project from wherever it is installed', {
  timeout: integrationTimeoutMs,
}, async (t) => {
  const base = makeTempDir(t);
  const tarball = run(join(repositoryRoot, 'scripts', 'package'), base).trimEnd();
  const { version } = JSON.parse(readFileSync(join(repositoryRoot, 'package.json'), 'utf8'));
  assert.equal(tarball, join(base, `easyserve-cli-${version}.tgz`));
  assertContents(tarball);

  const prefix = join(base, 'prefix');
  const options = ['--omit=dev', '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error'];
  run('npm', 'install', '--global', '--prefix', prefix, ...options, tarball);
  const bin = join(prefix, 'bin', 'easyserve');
  assert.equal(run(bin, '--version'), `${version}\n`);

  const dir = copyFixture('wsgi-hello', join(base, 'site'));
  const installed = new Background(t, { dir, program: [bin] });
  for (const processes of ['1', '2']) {
    const { code, stdout, stderr } = await installed.start('--processes', processes);
    assert.equal(code, 0, stderr);
    const url = /http:\S+/.exec(stdout)?.[0] ?? '';
    assert.equal(JSON.parse((await ask(url, '/')).text).message, 'Hello from WSGI');
    assert.equal((await installed.run('stop')).code, 0);
  }
});

function assertContents(tarball: string): void {
  const names = execFileSync('tar', ['-tzf', tarball], { encoding: 'utf8' })
    .trimEnd()
    .split('\n')
    .map((name) => name.replace(/^package\//, ''));
  const needed = [
    'package.json',
    'LICENSE',
    'README.md',
    'CHANGELOG.md',
    'bin/easyserve.js',
    'dist/cli/main.js',
    'dist/cluster/worker.js',
    'dist/app/python/gateway.py',
    'dist/app/python/easyserve_inspection.py',
    'dist/app/python/inspect_django.py',
    'dist/app/python/inspect_application.py',
    'dist/app/python/serve_asgi.py',
    'dist/app/python/serve_cheroot.py',
    'docs/settings.md',
  ];
  for (const name of needed) assert.ok(names.includes(name), `${name} is missing`);
  const strangers = names.filter((name) => !/^(bin|config|dist|docs)\/|^[\w.]+$/.test(name));
  assert.deepEqual(strangers, []);
  const ofTheCheckout = names.filter((name) => /\.test\.|fixture|__pycache__|\.ts$|\.built-from/.test(name));
  assert.deepEqual(ofTheCheckout, []);
}

function run(program: string, ...args: readonly string[]): string {
  return execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}
