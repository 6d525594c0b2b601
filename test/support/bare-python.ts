import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { testPython } from './python-env.js';

/** Makes a virtual environment with nothing in it. Answers the path of its interpreter. */
export function makePythonEnvironment(folder: string): string {
  // The environment of an environment has the interpreter below both as its base.
  execFileSync(testPython(), ['-m', 'venv', '--without-pip', folder], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  return join(folder, 'bin', 'python');
}
