import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { makeTempDir } from '../../support/copy-fixture.js';
import { repositoryRoot } from '../../support/repository.js';

const programs = {
  'passes.mjs': "test('one', () => {}); test('two', () => {});",
  'fails.mjs': "test('one', () => {}); test('two', () => { throw new Error('no'); });",
  'fails-inside.mjs':
    "test('outer', async (t) => { await t.test('inner', () => { throw new Error('no'); }); });",
  'breaks.mjs': "throw new Error('cannot be loaded');",
  'leaves-out.mjs': "test('one', { skip: true }, () => {});",
};

test('a file that fails anywhere counts as failed, once, and one that runs nothing as skipped; failures are named', (t) => {
  const folder = makeTempDir(t);
  const files = Object.entries(programs).map(([name, program]) => {
    writeFileSync(join(folder, name), `import { test } from 'node:test';\n${program}\n`);
    return join(folder, name);
  });
  const reporter = pathToFileURL(join(repositoryRoot, 'scripts', 'tests', 'count-files.mjs')).href;
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const { stdout } = spawnSync(process.execPath, ['--test', `--test-reporter=${reporter}`, ...files], {
    env,
    encoding: 'utf8',
  });
  const [counts, ...failures] = stdout.trimEnd().split('\n');
  assert.equal(counts, '1 3 1');
  const named = (name: string) => failures.filter((line) => line.includes(`${name}: `));
  assert.match(named('fails.mjs')[0] ?? '', /fails\.mjs: two: no$/);
  assert.match(named('fails-inside.mjs')[0] ?? '', /fails-inside\.mjs: outer: /);
  assert.equal(named('breaks.mjs').length, 1);
  assert.equal(failures.length, 3);
});
