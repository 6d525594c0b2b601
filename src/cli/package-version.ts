import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The version in the nearest package.json above a file of ours: dist/ and the tests' build/ lie at different depths. */
export function readPackageVersion(from: string): string {
  const file = join(from, 'package.json');
  if (existsSync(file)) return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
  if (dirname(from) === from) throw new Error("easyserve's package.json is missing");
  return readPackageVersion(dirname(from));
}
