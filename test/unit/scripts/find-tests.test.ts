import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { repositoryRoot } from '../../support/repository.js';

function find(...names: readonly string[]) {
  const script = join(repositoryRoot, 'scripts', 'tests', 'find-tests.mjs');
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...names], { encoding: 'utf8' });
  return { status, files: stdout.split('\n').filter((line) => line !== ''), stderr };
}

const pretty = 'test/unit/log/pretty.test.ts';

for (const [name, meaning] of [
  [pretty, 'a path'],
  [`./${pretty}`, 'a path from here'],
  ['pretty', 'the name of the file'],
  ['src/log/pretty.ts', 'the file that it tests'],
  ['log/pret', 'a part of the path'],
] as const) {
  test(`${meaning} names the file: ${name}`, () => {
    assert.deepEqual(find(name), { status: 0, files: [pretty], stderr: '' });
  });
}

for (const folder of ['test/unit/log', 'unit/log/', 'src/log']) {
  test(`a folder names all that is below it: ${folder}`, () => {
    const { files } = find(folder);
    assert.ok(files.includes(pretty) && files.length > 3, files.join('\n'));
    assert.ok(files.every((file) => file.startsWith('test/unit/log/')));
  });
}

test('tests in Python are found by the name of what they test, too', () => {
  const { files } = find('lifespan');
  assert.equal(files.length, 1);
  assert.match(files[0] ?? '', /^test\/.*\/test_lifespan\.py$/);
});

test('of several names each file is listed once', () => {
  assert.deepEqual(find('pretty', 'log/pretty', 'find-tests').files, [
    pretty,
    'test/unit/scripts/find-tests.test.ts',
  ]);
});

test('an unknown name is an error that names the near ones, and then nothing runs', () => {
  const { status, files, stderr } = find('pretty', 'prety');
  assert.equal(status, 2);
  assert.deepEqual(files, []);
  assert.match(stderr, /^test: no part, file or folder of test\/ is called prety; near: .*pretty/);
});

test('a name that is like no other is an error all the same', () => {
  const { status, stderr } = find('xyzzyqwerty');
  assert.equal(status, 2);
  assert.equal(stderr, 'test: no part, file or folder of test/ is called xyzzyqwerty\n');
});
