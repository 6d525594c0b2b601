import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, type TestContext, test } from 'node:test';
import { copyFixture, makeTempDir } from '../support/copy-fixture.js';
import { integrationTimeoutMs } from '../support/for-each-mode.js';
import { runEasyserve } from '../support/run-easyserve.js';
import { requireSystemdTools } from '../support/service-manager.js';

const timeout = integrationTimeoutMs;

before(requireSystemdTools);

/** The printed units by their names, and written to a folder. */
async function printUnits(
  t: TestContext,
  dir: string,
  ...args: readonly string[]
): Promise<Map<string, string>> {
  const { code, stdout, stderr } = await runEasyserve(['install', '--print', '--name', 'shop', ...args], {
    cwd: dir,
  });
  assert.equal(code, 0, stderr);
  const folder = makeTempDir(t);
  const units = new Map<string, string>();
  for (const text of stdout.split(/^(?=# \/etc\/systemd\/system\/)/m)) {
    const name = /^# \/etc\/systemd\/system\/(\S+)\n/.exec(text)?.[1] ?? '';
    units.set(join(folder, name), text);
    writeFileSync(join(folder, name), text);
  }
  return units;
}

function analyze(...args: readonly string[]): { status: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync('systemd-analyze', args, { encoding: 'utf8' });
  return { status, output: `${stdout}${stderr}` };
}

function makeSite(t: TestContext, folder: string): string {
  return copyFixture('django-site', join(makeTempDir(t), folder));
}

for (const args of [[], ['--socket', '--set', 'https=true']] as const) {
  const what = args.length === 0 ? 'the service' : 'the service with its sockets';
  test(`systemd finds nothing wrong with ${what}, and calls it OK or better`, { timeout }, async (t) => {
    // Every character that means something in a unit file.
    const dir = makeSite(t, 'a "shop" %h $HOME');
    const units = await printUnits(t, dir, ...args);
    assert.equal(units.size, args.length === 0 ? 1 : 3);
    assert.deepEqual(analyze('verify', ...units.keys()), { status: 0, output: '' });
    const service = [...units.keys()].find((path) => path.endsWith('.service')) ?? '';
    const { output } = analyze('security', '--offline=true', '--no-pager', service);
    const [, score, verdict] = /Overall exposure level .*: ([\d.]+) (\w+)/.exec(output) ?? [];
    assert.ok(['OK', 'SAFE', 'PERFECT'].includes(verdict ?? ''), `${score} ${verdict}`);
  });
}

test('what the project writes to is writable, and nothing else', { timeout }, async (t) => {
  const dir = makeSite(t, 'shop');
  const [service = ''] = [...(await printUnits(t, dir, '--writable', '../logs')).values()];
  const paths = /^ReadWritePaths=(.*)$/m.exec(service)?.[1]?.split(' ');
  // The SQLite database is in the project's folder, and its journal goes beside it.
  assert.deepEqual(paths, [`-${join(dir, '..', 'logs')}`, `-${dir}`]);
});

test('printing changes nothing', { timeout }, async (t) => {
  const dir = makeSite(t, 'shop');
  const list = () =>
    readdirSync(dir, { recursive: true, encoding: 'utf8' }).filter((path) => !path.includes('__pycache__'));
  const before = list();
  await printUnits(t, dir);
  assert.deepEqual(list(), before);
});
