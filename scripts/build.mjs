/**
 * Compiles src/ into dist/, and with --tests also src/ and test/ into build/. Used by `npm run build` and the scripts.
 *
 * The new folder is made beside the old one and takes its place at the end: what runs from the old one is not
 * disturbed by half a build, and a failed build changes nothing.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const tsc = join(root, 'node_modules', '.bin', 'tsc');

const isBuilt =
  build('tsconfig.json', 'dist', '.') &&
  (!process.argv.includes('--tests') || build('tsconfig.test.json', 'build', 'src'));
process.exitCode = isBuilt ? 0 : 1;

/** `src` is where the compiled src/ comes to lie below the folder: the Python files go with it. */
function build(project, folder, src) {
  // At the same depth as the final place: source maps hold relative paths.
  const fresh = join(root, `.${folder}-${process.pid}`);
  try {
    const { status, error } = spawnSync(tsc, ['-p', project, '--outDir', fresh], {
      cwd: root,
      stdio: 'inherit',
    });
    if (error) throw error;
    if (status !== 0) return false;
    copyPython(join(fresh, src, 'app', 'python'));
    replace(fresh, join(root, folder));
    return true;
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
}

function copyPython(to) {
  mkdirSync(to, { recursive: true });
  for (const name of readdirSync(join(root, 'src', 'app', 'python'))) {
    if (name.endsWith('.py')) cpSync(join(root, 'src', 'app', 'python', name), join(to, name));
  }
}

function replace(fresh, final) {
  const old = `${fresh}-old`;
  if (existsSync(final)) renameSync(final, old);
  renameSync(fresh, final);
  rmSync(old, { recursive: true, force: true });
}
