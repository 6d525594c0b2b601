import assert from 'node:assert/strict';
import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { repositoryRoot } from '../support/repository.js';

/** Not ours, or made from the rest. */
const leftOut = ['.git', 'node_modules', 'dist', 'build', '.cache', '__pycache__'];

/** Has the words below. */
const thisFile = 'test/unit/documented-installation.test.ts';

/** What runs or installs the package that is called easyserve on npm. */
const foreignPackage =
  /\b(?:npx|bunx|(?:p?npm|yarn|bun)\s+(?:i|install|add|exec|x|dlx|create|global\s+add))\s+(?:-\S+\s+)*(['"]?)easyserve(?![\w./-])\1/;

function filesBelow(folder: string): string[] {
  return readdirSync(join(repositoryRoot, folder)).flatMap((name) => {
    if (leftOut.includes(name) || /^\.(?:dist|build)-/.test(name)) return [];
    const path = join(folder, name);
    const stats = lstatSync(join(repositoryRoot, path));
    if (stats.isDirectory()) return filesBelow(path);
    return stats.isFile() && /(?:^[^.]+|\.(?:[mc]?[jt]s|py|md|toml|ya?ml|json|sh|txt|html))$/.test(name)
      ? [path]
      : [];
  });
}

test('nothing tells anybody to run or install the package easyserve of npm, which is another program', () => {
  const found = filesBelow('.').filter(
    (path) => path !== thisFile && foreignPackage.test(readFileSync(join(repositoryRoot, path), 'utf8')),
  );
  assert.deepEqual(found, []);
});

for (const [text, isForeign] of [
  ['npx easyserve start', true],
  ['npx --yes easyserve', true],
  ['npm install --global easyserve, then', true],
  ['sudo npm i -g easyserve', true],
  ['npm install --global ./easyserve-cli-0.1.0.tgz', false],
  ['npm install @easyserve/cli', false],
  ['npm run easyserve', false],
] as const) {
  test(`the search ${isForeign ? 'finds' : 'passes'} "${text.replace('easyserve', '…')}"`, () => {
    assert.equal(foreignPackage.test(text), isForeign);
  });
}
