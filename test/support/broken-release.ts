import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fixturePath } from './copy-fixture.js';

export const brokenReleases = [
  'syntax-error',
  'import-error',
  'exit-at-import',
  'hang-at-import',
  'answers-500',
] as const;

export type BrokenRelease = (typeof brokenReleases)[number];

/** Where a fixture's `application` is. */
export const applicationModules = {
  'django-site': 'photojournal/wsgi.py',
  'django-minimal': 'minimal/wsgi.py',
  'wsgi-hello': 'app.py',
} as const;

/**
 * Breaks a copied fixture as a bad release would: appends the snippet to a module. The answer mends it.
 *
 * `module` is relative to the copy; usually one of applicationModules.
 */
export function breakRelease(dir: string, release: BrokenRelease, module: string): () => void {
  const path = join(dir, module);
  const good = readFileSync(path, 'utf8');
  replaceFile(path, good + readFileSync(fixturePath(`broken-releases/${release}.py`), 'utf8'));
  return () => replaceFile(path, good);
}

/** As editors and deployment tools do it: no reader ever sees half a file. */
export function replaceFile(path: string, text: string): void {
  const fresh = `${path}.new-${process.pid}`;
  writeFileSync(fresh, text);
  renameSync(fresh, path);
}
