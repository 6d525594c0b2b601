import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { repositoryRoot } from '../support/repository.js';

/** How a code is given to an error in TypeScript, to a problem of the settings, and to a failure in Python. */
const places = [
  /\b(?:\w*Error|broken)\(\s*'([a-z]+(?:-[a-z]+)*)'/g,
  /\bendCode\(\w+(?:\.\w+)?, '([a-z-]+)'\)/g,
  /\bSTART_SIGNALLED = '([a-z-]+)'/g,
  /\bcode: '([a-z]+(?:-[a-z]+)+)'/g,
  /\bFailure\(\s*"([a-z]+(?:-[a-z]+)+)"/g,
];

test('docs/errors.md lists every code of an error, and no other', () => {
  const src = join(repositoryRoot, 'src');
  const given = new Set(['unexpected']);
  for (const file of readdirSync(src, { recursive: true, encoding: 'utf8' })) {
    if (!/\.(ts|py)$/.test(file)) continue;
    const text = readFileSync(join(src, file), 'utf8');
    for (const place of places) for (const [, code] of text.matchAll(place)) given.add(code ?? '');
  }
  const text = readFileSync(join(repositoryRoot, 'docs', 'errors.md'), 'utf8');
  const tables = text.slice(text.indexOf('### Settings'), text.indexOf('## Pages for visitors'));
  const documented = new Set<string>();
  for (const [, cell] of tables.matchAll(/^\| (`[^|]*) \|/gm)) {
    for (const [, code] of (cell ?? '').matchAll(/`([a-z-]+)`/g)) documented.add(code ?? '');
  }
  assert.deepEqual([...documented].sort(), [...given].sort());
});
