import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { checks } from '../../../src/check/checks.js';
import { repositoryRoot } from '../../support/repository.js';

test('docs/check.md lists every check with its severity, in order, and no other', () => {
  const text = readFileSync(join(repositoryRoot, 'docs', 'check.md'), 'utf8');
  const rows = [...text.matchAll(/^\| `([a-z-]+)` \| (\w+) \| (.+?) \| ?(.*?) ?\|$/gm)];
  assert.deepEqual(
    rows.map(([, name, severity, doc, start]) => ({ name, severity, doc, isQuick: start === 'yes' })),
    checks.map(({ name, severity, doc, isQuick }) => ({ name, severity, doc, isQuick })),
  );
  const names = checks.map(({ name }) => name);
  assert.deepEqual(names, [...new Set(names)]);
});
