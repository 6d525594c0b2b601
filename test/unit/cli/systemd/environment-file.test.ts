import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { EnvironmentFile, namesIn } from '../../../../src/cli/systemd/environment-file.js';
import { Privileges } from '../../../../src/privileges/privileges.js';
import { makeTempDir } from '../../../support/copy-fixture.js';

const ownRights = new Privileges(undefined);

test('what is written is read again, and nobody else may read it', (t) => {
  const path = join(makeTempDir(t), 'shop.env');
  const variables = { PLAIN: 'a', HARD: ' "quoted" $HOME `x` \\ #1\nsecond line', EMPTY: '' };
  EnvironmentFile.read(path).make(Object.keys(variables), variables, ownRights);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.deepEqual(EnvironmentFile.read(path).variables, variables);
  const before = readFileSync(path, 'utf8');
  EnvironmentFile.read(path).make(['OTHER'], { OTHER: 'b' }, ownRights);
  assert.equal(readFileSync(path, 'utf8'), before);
});

test('a file that is there is read by the rules of systemd', (t) => {
  const path = join(makeTempDir(t), 'shop.env');
  writeFileSync(path, '# a comment\n; another\n\nA=1\n B = two words \nC=\'$x "y"\'\nD=\n', { mode: 0o600 });
  assert.deepEqual(EnvironmentFile.read(path).variables, { A: '1', B: 'two words', C: '$x "y"', D: '' });
});

test('lines that systemd would leave out, and a file that everybody can read, are refused', (t) => {
  const path = join(makeTempDir(t), 'shop.env');
  writeFileSync(path, 'A=1\nexport SECRET=x\n', { mode: 0o600 });
  assert.throws(() => EnvironmentFile.read(path), {
    code: 'environment-file',
    message: /line 2 of .*shop\.env\. Without "export" it does\.$/,
  });
  writeFileSync(path, 'no assignment\n');
  assert.throws(() => EnvironmentFile.read(path), { code: 'environment-file', message: /line 1 of/ });
  chmodSync(path, 0o644);
  assert.throws(() => EnvironmentFile.read(path), { code: 'environment-file', hint: `chmod 600 ${path}` });
  assert.throws(() => EnvironmentFile.read(join(path, 'below')), { code: 'environment-file' });
});

test('a FIFO in the place of the file is refused, and no writer waited for', (t) => {
  const path = join(makeTempDir(t), 'shop.env');
  execFileSync('mkfifo', ['--mode=600', path]);
  assert.throws(() => EnvironmentFile.read(path), { code: 'environment-file', message: /\(EINVAL\)\.$/ });
});

test('names are found in a .env of any form', () => {
  assert.deepEqual(namesIn('# x\nexport A=1\nB = "b"\n  C=\nnot this\n'), ['A', 'B', 'C']);
});
