import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { repositoryRoot } from '../support/repository.js';

const pages = [
  'README.md',
  'CHANGELOG.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  ...readdirSync(join(repositoryRoot, 'docs')).map((name) => `docs/${name}`),
];

/** As GitHub makes them: lower case, without punctuation, a hyphen for each space. */
function anchorsOf(text: string): Set<string> {
  const headings = text.replace(/^```.*?^```/gms, '').matchAll(/^#+ (.+)$/gm);
  return new Set(
    [...headings].map(([, title]) =>
      (title ?? '')
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}

for (const page of pages) {
  test(`${page}: every link to another page leads somewhere`, () => {
    const text = readFileSync(join(repositoryRoot, page), 'utf8');
    for (const [, target = ''] of text.matchAll(/\]\(((?!https?:)[^)\s]+)\)/g)) {
      const [path = '', anchor] = target.split('#');
      const file = path === '' ? join(repositoryRoot, page) : join(repositoryRoot, dirname(page), path);
      assert.ok(existsSync(file), `${target}: there is no such file`);
      if (anchor === undefined) continue;
      assert.ok(anchorsOf(readFileSync(file, 'utf8')).has(anchor), `${target}: there is no such heading`);
    }
  });
}

for (const page of pages) {
  test(`${page}: every file of the repository that it names is there`, () => {
    const text = readFileSync(join(repositoryRoot, page), 'utf8');
    const named = text.matchAll(/(?<![\w./-])(?:src|test|scripts|docs|config|bin)\/[\w./-]*\w/g);
    assert.deepEqual(
      [...named].map(([path]) => path).filter((path) => !isThere(path)),
      [],
    );
  });
}

test('docs/architecture.md names files of src/ that are there', () => {
  const sources = readdirSync(join(repositoryRoot, 'src'), { recursive: true, encoding: 'utf8' });
  const text = readFileSync(join(repositoryRoot, 'docs', 'architecture.md'), 'utf8');
  const named = [...text.matchAll(/`([\w/-]+(?:\/|\.(?:ts|py)))`/g)].map(([, name = '']) => name);
  assert.ok(named.length > 30);
  const missing = named.filter(
    (name) => !sources.some((path) => `/${path}${name.endsWith('/') ? '/' : ''}`.endsWith(`/${name}`)),
  );
  assert.deepEqual(missing, []);
});

/** Prose leaves endings out: `test/faults/app-killed`. */
function isThere(path: string): boolean {
  return ['', '.ts', '.test.ts', '.py'].some((ending) => existsSync(join(repositoryRoot, path + ending)));
}
