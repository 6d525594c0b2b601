/**
 * Fails when the source breaks the rules of its own layout (docs/architecture.md):
 *
 *   - a file imports its own folder or a lower floor, see `floors`
 *   - each third-party package is imported by one file
 *   - only cli/main exits the process; only the edges read process.env and process.argv
 *   - no drawer names, no barrels, no file above the length limit
 *   - tests do not sleep
 *
 * Reads the files as text: what looks like an import in a comment is left out, nothing else is understood.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

/** From low to high. A name is a folder of src/, or a file directly in it; such files on one floor know each other. */
const floors = [
  [
    'errors',
    'lifecycle',
    'clock',
    'link-once',
    'upstream',
    'status',
    'project-facts',
    'tls-material',
    'node-order',
  ],
  ['settings', 'log'],
  ['project', 'app', 'node', 'front', 'tls', 'watch', 'control'],
  ['site', 'site-files', 'site-control', 'runner'],
  ['single', 'cluster'],
  [
    'launcher',
    'signals',
    'reload',
    'restart',
    'instance',
    'load-release',
    'address',
    'banner',
    'control-verbs',
    'leftovers',
    'account',
    'announce',
    'application-environment',
    'create-runner',
    'supervisor-heap',
    'open-first',
    'port-permission',
    'privileges',
    'program-access',
    'project-reader',
    'read-as-user',
    'service-notifier',
    'certificates',
    'operation-turns',
    'site-sockets',
  ],
  ['cli'],
];
/** The command line, and the entries of a throng worker and of a Node.js application, which are processes of their own. */
const edges = ['src/cli/', 'src/cluster/worker.ts', 'src/node/preload.ts'];
/** What runs inside of an application ends the application, not easyserve. */
const mayExit = ['src/cli/main.ts', 'src/node/preload.ts', 'src/node/hosted-application.ts'];
const drawerNames = ['utils', 'helpers', 'common', 'misc', 'manager', 'constants', 'index'];
const mostLines = { src: 320, test: 400 };
/** The poll and the deadlines; everything else waits for an event. */
const mayUseTimers = [
  'test/support/eventually.ts',
  'test/support/with-deadline.ts',
  'test/support/wire-connection.ts',
];

const problems = [];
const packageImporters = new Map();

for (const path of filesBelow('src', '.ts')) checkSource(path, readFileSync(join(root, path), 'utf8'));
for (const path of filesBelow('test', '.ts')) checkTest(path, readFileSync(join(root, path), 'utf8'));
for (const [name, importers] of packageImporters) {
  if (importers.size > 1) report([...importers].join(', '), `${name} is imported by more than one file`);
}

if (problems.length > 0) {
  console.error(problems.join('\n'));
  process.exitCode = 1;
}

function checkSource(path, text) {
  checkShape(path, text);
  const code = withoutComments(text);
  for (const specifier of importsOf(code)) {
    if (specifier.startsWith('node:')) continue;
    if (specifier.startsWith('.')) checkFloor(path, specifier);
    else notePackage(path, specifier);
  }
  if (/\bprocess\.exit\(/.test(code) && !mayExit.includes(path))
    report(path, `only ${mayExit.join(', ')} exit the process`);
  if (/\bprocess\.(env|argv)\b/.test(code) && !edges.some((edge) => path.startsWith(edge))) {
    report(path, `only ${edges.join(' and ')} read process.env and process.argv`);
  }
}

function checkTest(path, text) {
  checkShape(path, text);
  const code = withoutComments(text);
  if (mayUseTimers.includes(path)) return;
  if (
    /['"]node:timers(\/promises)?['"]/.test(code) ||
    /\bset(Timeout|Interval)\(/.test(withoutStrings(code))
  ) {
    report(path, 'tests do not sleep: wait for an event, use test/support/eventually or the fake clock');
  }
}

function checkShape(path, text) {
  const name = path
    .split('/')
    .pop()
    .replace(/(\.test|\.d)?\.ts$/, '');
  if (drawerNames.includes(name)) report(path, `${name} says nothing about what is inside`);
  if (!/^[a-z0-9]+(-[a-z0-9]+)*$/.test(name)) report(path, 'file names are kebab-case');
  const lines = text.split('\n').length;
  const most = mostLines[path.split('/')[0]];
  if (lines > most) report(path, `${lines} lines; a file has ${most} at most`);
}

function checkFloor(path, specifier) {
  const from = placeOf(path);
  const to = placeOf(relative(root, join(root, dirname(path), specifier)));
  if (to === undefined) return report(path, `${specifier} is outside src/`);
  if (from === to || (floorOf(from) === floorOf(to) && isFile(from) && isFile(to))) return;
  if (floorOf(from) === -1)
    return report(path, `${from} stands on no floor; add it to scripts/check-imports.mjs`);
  if (floorOf(to) >= floorOf(from)) report(path, `imports ${specifier}: ${from} may not import ${to}`);
}

function notePackage(path, specifier) {
  const parts = specifier.split('/');
  const name = specifier.startsWith('@') ? parts.slice(0, 2).join('/') : parts[0];
  packageImporters.set(name, (packageImporters.get(name) ?? new Set()).add(path));
}

/** `src/front/static/table.ts` -> `front`; `src/site.ts` -> `site`; undefined outside src/. */
function placeOf(path) {
  const [top, place] = path.split('/');
  return top === 'src' ? place.replace(/\.(ts|js)$/, '') : undefined;
}

function floorOf(place) {
  return floors.findIndex((floor) => floor.includes(place));
}

function isFile(place) {
  return existsSync(join(root, 'src', `${place}.ts`));
}

/** Static, type-only, re-exporting and dynamic imports. */
function importsOf(code) {
  const pattern = /(?:\bfrom|\bimport)\s*\(?\s*'([^']+)'/g;
  return [...code.matchAll(pattern)].map((match) => match[1]);
}

function withoutComments(text) {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '$1');
}

/** Programs that a test gives to a child process stand in strings. */
function withoutStrings(code) {
  return code.replace(/`(?:\\.|[^`\\])*`|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"/g, "''");
}

function filesBelow(folder, ending) {
  return readdirSync(join(root, folder), { recursive: true })
    .map((path) => `${folder}/${path}`)
    .filter((path) => path.endsWith(ending) && !path.includes('/fixtures/'))
    .sort();
}

function report(path, problem) {
  problems.push(`${path}: ${problem}`);
}
