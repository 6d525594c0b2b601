import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { repositoryRoot } from './repository.js';

/** A file of scripts/benchmark, which is plain JavaScript and not compiled; `Exports` is what the test uses of it. */
export async function importBenchmark<Exports>(file: string): Promise<Exports> {
  return await import(pathToFileURL(join(repositoryRoot, 'scripts', 'benchmark', file)).href);
}
