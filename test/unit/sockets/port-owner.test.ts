import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { explainPortOwner, findPortOwner } from '../../../src/sockets/port-owner.js';
import { makeTempDir } from '../../support/copy-fixture.js';

interface Listener {
  readonly command: string;
  readonly cgroup?: string;
  readonly cmdline?: string;
  /** Another user's process hides its descriptors (proc(5)). */
  readonly isHidden?: boolean;
}

/** A /proc with one process that listens on port 80. */
function makeProc(t: TestContext, { command, cgroup = '/', cmdline = command, isHidden }: Listener): string {
  const proc = makeTempDir(t);
  const folder = join(proc, '1234');
  for (const each of ['net', '1234/fd']) mkdirSync(join(proc, each), { recursive: true });
  writeFileSync(
    join(proc, 'net', 'tcp'),
    'sl local_address\n 0: 00000000:0050 00000000:0000 0A 0 0 0 0 0 555 1\n',
  );
  writeFileSync(join(folder, 'comm'), `${command}\n`);
  writeFileSync(join(folder, 'cgroup'), `0::${cgroup}\n`);
  writeFileSync(join(folder, 'cmdline'), cmdline.replaceAll(' ', '\0'));
  symlinkSync('/srv/site', join(folder, 'cwd'));
  if (isHidden) rmSync(join(folder, 'fd'), { recursive: true });
  else symlinkSync('socket:[555]', join(folder, 'fd', '6'));
  chmodSync(folder, 0o755);
  return proc;
}

const behind =
  'or stand behind it: easyserve start --host 127.0.0.1 --port 8000 (docs/wsgi.md, "Behind another proxy")';

for (const [what, listener, hint] of [
  [
    'nginx as a service',
    { command: 'nginx', cgroup: '/system.slice/nginx.service' },
    `sudo systemctl disable --now nginx, ${behind}`,
  ],
  [
    'Apache of another user, as a service',
    { command: 'apache2', cgroup: '/system.slice/apache2.service', isHidden: true },
    `sudo systemctl disable --now apache2, ${behind}`,
  ],
  ['nginx without systemd', { command: 'nginx' }, `sudo service nginx stop, ${behind}`],
  [
    'another service',
    { command: 'python3', cgroup: '/system.slice/shop.service' },
    'sudo systemctl disable --now shop, or easyserve start --port 8001',
  ],
  [
    'a container',
    { command: 'docker-proxy', cgroup: '/system.slice/docker.service' },
    'docker ps --filter publish=80 names the container, or easyserve start --port 8001',
  ],
  [
    'another site of easyserve',
    { command: 'node', cmdline: 'node /usr/lib/bin/easyserve.js start' },
    'easyserve stop /srv/site, or easyserve start --port 8001',
  ],
  ['any other process', { command: 'python3' }, 'kill 1234, or easyserve start --port 8001'],
] as const) {
  test(`port 80 is held by ${what}`, (t) => {
    const owner = findPortOwner(80, makeProc(t, listener));
    assert.equal(owner?.pid, 1234);
    assert.equal(owner?.isGuess, 'isHidden' in listener);
    assert.equal(explainPortOwner(80, owner), hint);
  });
}

test('a hidden process that is no web server is not named', (t) => {
  const owner = findPortOwner(80, makeProc(t, { command: 'python3', isHidden: true }));
  assert.equal(owner, undefined);
  assert.equal(explainPortOwner(80, owner), 'easyserve start --port 8001');
});
