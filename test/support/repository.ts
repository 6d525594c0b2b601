import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The root of the checkout, from the source tree and from build/ alike. */
export const repositoryRoot = findRoot(dirname(fileURLToPath(import.meta.url)));

function findRoot(from: string): string {
  const isRoot = existsSync(join(from, 'package.json')) && existsSync(join(from, 'test', 'fixtures'));
  if (isRoot) return from;
  const parent = dirname(from);
  if (parent === from) throw new Error('these tests are not inside the easyserve checkout');
  return findRoot(parent);
}
