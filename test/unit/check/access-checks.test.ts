import assert from 'node:assert/strict';
import { chmodSync, chownSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { runChecks } from '../../../src/check/run-checks.js';
import { djangoSubject } from '../../support/check-subject.js';
import { makeTempDir } from '../../support/copy-fixture.js';

const nobody = 65_534;

test('a folder that others use is never given away; one that is missing is made', async (t) => {
  const dir = makeTempDir(t);
  chmodSync(dir, 0o755);
  const root = join(dir, 'shop');
  const closed = join(root, 'cache');
  mkdirSync(closed, { recursive: true });
  // Root may write everywhere, and a folder of root's is adopted.
  const isRoot = process.geteuid?.() === 0;
  if (isRoot) for (const path of [root, closed]) chownSync(path, nobody, nobody);
  chmodSync(closed, 0o555);
  const subject = djangoSubject({
    mediaRoot: '/opt/easyserve-missing/media',
    cacheFolders: ['/easyserve-missing', '/usr/share', closed],
    logFiles: ['/var/log/shop.log'],
  });
  if (isRoot) process.seteuid?.(nobody);
  try {
    const findings = await runChecks({ ...subject, project: { ...subject.project, root } });
    assert.deepEqual(
      findings.filter(({ name }) => name === 'not-writable').map(({ fix }) => fix),
      [
        'sudo install -d -o shop /opt/easyserve-missing/media',
        'sudo install -d -o shop /srv/shop-data, and in the settings /srv/shop-data/shop.log',
        'sudo install -d -o shop /srv/shop-data, and in the settings /srv/shop-data/easyserve-missing',
        'sudo install -d -o shop /srv/shop-data, and in the settings /srv/shop-data/share',
        `sudo chown -R shop ${closed}`,
      ],
    );
  } finally {
    if (isRoot) process.seteuid?.(0);
    chmodSync(closed, 0o755);
  }
});
