/**
 * Prints the files in test/ that the arguments name, one a line and each once, for scripts/test. What each argument names:
 *
 *   test/unit/log/pretty.test.ts    the file; src/log/pretty.ts is tested by it
 *   pretty                          files of this name, without folder and ending, and those in folders of this name
 *   log/pre                         else every file with this in its path
 *
 * A name that no file has ends it with status 2 and the nearest names.
 */
import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const files = readdirSync(join(root, 'test'), { recursive: true })
  .map((path) => `test/${path}`)
  .filter((path) => /\.test\.ts$|\/test_\w+\.py$/.test(path) && !path.startsWith('test/fixtures/'))
  .sort();

const found = new Set();
for (const wanted of process.argv.slice(2)) {
  const matches = matchesOf(wanted);
  if (matches.length === 0) complain(wanted);
  for (const path of matches) found.add(path);
}
if (process.exitCode === undefined) for (const path of found) console.log(path);

function matchesOf(wanted) {
  const path = wanted
    .replace(/^\.\//, '')
    .replace(/\/$/, '')
    .replace(/^src\/(.*?)(\.ts)?$/, 'test/unit/$1');
  const named = files.filter(
    (file) => withoutEnding(file) === withoutEnding(path) || nameOf(file) === path || isIn(file, path),
  );
  return named.length > 0 ? named : files.filter((file) => file.includes(path));
}

/** `test/unit/log/pretty.test.ts` -> `pretty`, `test/unit/app/python/test_end.py` -> `end`. */
function nameOf(file) {
  return withoutEnding(file)
    .split('/')
    .pop()
    .replace(/^test_/, '');
}

function withoutEnding(path) {
  return path.replace(/(\.test)?\.(ts|js)$|\.py$/, '');
}

function isIn(file, folder) {
  return `/${file}`.includes(`/${folder}/`);
}

function complain(wanted) {
  const word = nameOf(wanted);
  const names = [...new Set(files.flatMap((file) => [nameOf(file), ...file.split('/').slice(1, -1)]))];
  const near = names
    .map((name) => ({ name, distance: distanceOf(word, name) }))
    .filter(({ name, distance }) => distance <= Math.max(2, name.length / 3))
    .sort((a, b) => a.distance - b.distance)
    .slice(0, 5)
    .map(({ name }) => name);
  const hint = near.length > 0 ? `; near: ${near.join(', ')}` : '';
  console.error(`test: no part, file or folder of test/ is called ${wanted}${hint}`);
  process.exitCode = 2;
}

/** How many letters have to be put in, taken out or replaced (Levenshtein). */
function distanceOf(a, b) {
  let above = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const replaced = above[column - 1] + (a[row - 1] === b[column - 1] ? 0 : 1);
      current.push(Math.min(replaced, above[column] + 1, current[column - 1] + 1));
    }
    above = current;
  }
  return above[b.length];
}
