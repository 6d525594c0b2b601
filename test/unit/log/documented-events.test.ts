import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { repositoryRoot } from '../../support/repository.js';

const call = /\blog\??\.(?:debug|info|warn|error)\(\s*'([a-z-]+)'/gi;

test('docs/logs.md lists every event, and no other', () => {
  const src = join(repositoryRoot, 'src');
  const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.ts'),
  );
  const logged = new Set(['access', 'application']);
  for (const file of files) {
    for (const [, event] of readFileSync(join(src, file), 'utf8').matchAll(call)) logged.add(event ?? '');
  }
  const text = readFileSync(join(repositoryRoot, 'docs', 'logs.md'), 'utf8');
  const documented = new Set<string>();
  const tables = text.slice(text.indexOf('## Events'), text.indexOf('### access'));
  for (const [, cell] of tables.matchAll(/^\| (`[^|]*) \|/gm)) {
    for (const [, event] of (cell ?? '').matchAll(/`([a-z-]+)`/g)) documented.add(event ?? '');
  }
  assert.deepEqual([...documented].sort(), [...logged].sort());
});
