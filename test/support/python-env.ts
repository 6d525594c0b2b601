import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { repositoryRoot } from './repository.js';

/** The interpreter with Django that scripts/python-env prepared, or the one that EASYSERVE_TEST_PYTHON names. */
export function testPython(): string {
  const path = process.env.EASYSERVE_TEST_PYTHON ?? join(repositoryRoot, '.cache', 'venv', 'bin', 'python');
  if (!existsSync(path)) throw new Error(`${path} is missing; run scripts/python-env`);
  return path;
}

/** The virtual environment of testPython, as $VIRTUAL_ENV names one. */
export function testVirtualEnv(): string {
  return dirname(dirname(testPython()));
}
