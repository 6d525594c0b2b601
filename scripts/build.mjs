/**
 * Compiles src/ into dist/, and with --tests also src/ and test/ into build/. A folder that was made from the same files is left
 * as it is; --anew makes it again.
 *
 * The new folder is made beside the old one and takes its place at the end: what runs from the old one is not
 * disturbed by half a build, and a failed build changes nothing.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const tsc = join(root, 'node_modules', '.bin', 'tsc');
/** Lies in each folder that was built: a digest of what it was built from. package.json keeps it out of the package. */
const stampName = '.built-from';
/** What decides the outcome beside src/ and test/: the compiler's options, its version, and this script. */
const settings = [
  'tsconfig.json',
  'tsconfig.test.json',
  'package.json',
  'package-lock.json',
  'scripts/build.mjs',
];

const isBuilt =
  build('tsconfig.json', 'dist', '.', ['src']) &&
  (!process.argv.includes('--tests') || build('tsconfig.test.json', 'build', 'src', ['src', 'test']));
process.exitCode = isBuilt ? 0 : 1;

/** `src` is where the compiled src/ comes to lie below the folder: the Python files go with it. */
function build(project, folder, src, sources) {
  // Taken first: what is edited during the build is built by the next one.
  const stamp = digestOf(sources);
  if (!process.argv.includes('--anew') && stamp === stampOf(folder)) return true;
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
    writeFileSync(join(fresh, stampName), stamp);
    replace(fresh, join(root, folder));
    return true;
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
}

/** Of contents, not of dates: git gives a file the date of its checkout. Applications of test/fixtures/ are not compiled. */
function digestOf(sources) {
  const digest = createHash('sha256');
  const files = sources.flatMap((source) =>
    readdirSync(join(root, source), { recursive: true })
      .filter((path) => /\.(ts|py)$/.test(path) && !path.startsWith('fixtures/'))
      .sort()
      .map((path) => `${source}/${path}`),
  );
  for (const path of [...settings, ...files]) {
    digest
      .update(`${path}\0`)
      .update(readFileSync(join(root, path)))
      .update('\0');
  }
  return digest.digest('hex');
}

function stampOf(folder) {
  const path = join(root, folder, stampName);
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
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
