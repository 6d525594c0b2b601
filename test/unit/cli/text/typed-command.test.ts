import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { typedCommand } from '../../../../src/cli/text/typed-command.js';
import { makeTempDir } from '../../../support/copy-fixture.js';

/** Installed like by npm: a link called easyserve in a folder of PATH. */
function install(t: TestContext, folder = makeTempDir(t)): string {
  const file = join(makeTempDir(t), 'easyserve.js');
  writeFileSync(file, '#!/usr/bin/env node\n');
  chmodSync(file, 0o755);
  mkdirSync(folder, { recursive: true });
  symlinkSync(file, join(folder, 'easyserve'));
  return join(folder, 'easyserve');
}

function typed(script: string, more: { dir?: string; cwd?: string; env?: object } = {}): string {
  const { cwd = '/srv/site', dir = cwd } = more;
  const env = { PATH: `/missing:${dirname(script)}`, ...more.env };
  return typedCommand('reload', dir, { cwd, env, exec: { nodePath: '/node', nodeArgs: [], script } });
}

for (const [dir, command] of [
  ['/srv/site', 'easyserve reload'],
  ['/srv/site/shop', 'easyserve reload shop'],
  ['/srv/other', 'easyserve reload /srv/other'],
  ['/srv/site/my shop', "easyserve reload 'my shop'"],
  ["/srv/site/it's", "easyserve reload 'it'\\''s'"],
] as const) {
  test(`${dir}: ${command}`, (t) => assert.equal(typed(install(t), { dir }), command));
}

test('by npx: the name of the package, never that of the stranger', (t) => {
  const script = install(t, join(makeTempDir(t), 'node_modules/.bin'));
  assert.equal(typed(script, { env: { npm_lifecycle_event: 'npx' } }), 'npx @easyserve/cli reload');
});

test("by a script of npm, whose PATH a shell does not have: the project's own program", (t) => {
  const cwd = makeTempDir(t);
  const script = install(t, join(cwd, 'node_modules/.bin'));
  const env = { npm_lifecycle_event: 'start' };
  assert.equal(typed(script, { cwd, env }), 'node_modules/.bin/easyserve reload');
});

test('by a path: the path, with node where the file alone cannot be run', (t) => {
  const script = install(t);
  assert.equal(typed(script, { env: { PATH: dirname(install(t)) } }), `${script} reload`);
  assert.equal(typed(script, { cwd: dirname(script), env: { PATH: '' } }), './easyserve reload');
  const plain = join(makeTempDir(t), 'main.js');
  writeFileSync(plain, '');
  assert.equal(typed(plain), `node ${plain} reload`);
});
