/**
 * Fails when the source breaks the rules of its own layout (docs/architecture.md):
 *
 *   - a file imports its own room or a lower floor, see `floors`; files import each other in no circle, types included
 *   - no file lies loose in src/, and the table of floors in docs/architecture.md is the one of this script
 *   - each third-party package is imported by one file
 *   - only cli/main exits the process; only the edges read process.env and process.argv
 *   - no drawer names, no barrels, no file above the length limit
 *   - tests do not sleep
 *
 * With --write it writes that table instead of comparing it. Reads the files as text: what looks like an import in a
 * comment is left out, nothing else is understood.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

/**
 * The rooms of src/, from the lowest floor up. A file imports its own room or one of a lower floor; rooms of one floor do not
 * know each other.
 */
const floors = [
  { contracts: 'types, states and errors that several rooms share; the clock' },
  {
    settings: 'one frozen value, from defaults, files, environment and flags',
    log: 'log lines: made, formatted, kept and written',
  },
  {
    project: 'what is in the folder: kind of application, interpreter, processes to start',
    sockets: 'listening sockets: addresses, handles, ports and their owners',
    control: 'the control socket, the state folder, locks and files that are written whole or not at all',
  },
  {
    privileges: 'root, the account of the site, and what is read as that account',
    tls: "certificates: own files, a CA's by ACME, one for development",
    app: 'the application side: the pool of processes, kinds of servers, what runs inside of an application process',
    front: 'HTTP: connections, files, compression, the way to the application',
  },
  {
    site: 'one front with the processes that it feeds; the interface of the two modes',
    check: 'what deployments get wrong: findings about settings, project and machine',
  },
  {
    single: 'the site inside of this process',
    cluster: 'a site in each throng worker',
  },
  { supervisor: 'the life of an instance: launch, reload, restart, certificates, signals, settings watch' },
  { cli: 'the command line, one file a verb; systemd units; text for people' },
];
/** The command line, and the entries of a throng worker and of a Node.js application, which are processes of their own. */
const edges = [
  'src/cli/',
  'src/cluster/worker.ts',
  'src/app/node/preload.ts',
  // Asks whether Node was started with its debugger.
  'src/contracts/stray-signals.ts',
];
/** What runs inside of an application ends the application, not easyserve. */
const mayExit = ['src/cli/main.ts', 'src/app/node/preload.ts', 'src/app/node/hosted-application.ts'];
const drawerNames = ['utils', 'helpers', 'common', 'misc', 'manager', 'constants', 'index'];
const mostLines = { src: 300, test: 400 };
/** The poll and the deadlines; everything else waits for an event. */
const mayUseTimers = [
  'test/support/crash-attack.ts',
  'test/support/eventually.ts',
  'test/support/with-deadline.ts',
  'test/support/wire-connection.ts',
];

const problems = [];
const packageImporters = new Map();
/** Of each file in src/: the files that it imports. */
const importedFiles = new Map();

for (const path of filesBelow('src', '.ts')) checkSource(path, readText(path));
for (const path of filesBelow('src', '.py')) checkShape(path, readText(path));
for (const path of filesBelow('test', '.ts')) checkTest(path, readText(path));
for (const [name, importers] of packageImporters) {
  if (importers.size > 1) report([...importers].join(', '), `${name} is imported by more than one file`);
}
for (const circle of circles(importedFiles)) report(circle[0], `imports in a circle: ${circle.join(' -> ')}`);
checkFloorTable(process.argv.includes('--write'));

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
    .replace(/(\.test|\.d)?\.(ts|py)$/, '');
  if (drawerNames.includes(name)) report(path, `${name} says nothing about what is inside`);
  const pattern = path.endsWith('.py') ? /^[a-z0-9]+(_[a-z0-9]+)*$/ : /^[a-z0-9]+(-[a-z0-9]+)*$/;
  if (!pattern.test(name)) report(path, 'file names are kebab-case, of Python modules snake_case');
  const lines = text.split('\n').length - 1;
  const most = mostLines[path.split('/')[0]];
  if (lines > most) report(path, `${lines} lines; a file has ${most} at most`);
}

function checkFloor(path, specifier) {
  const target = join(dirname(path), specifier).replace(/\.js$/, '.ts');
  importedFiles.set(path, [...(importedFiles.get(path) ?? []), target]);
  const from = roomOf(path);
  const to = roomOf(target);
  if (to === undefined) return report(path, `${specifier} is outside src/`);
  if (from === to) return;
  if (floorOf(from) === -1) return report(path, `${from} is no room; add it to scripts/check-imports.mjs`);
  if (floorOf(to) >= floorOf(from)) report(path, `imports ${specifier}: ${from} may not import ${to}`);
}

function notePackage(path, specifier) {
  const parts = specifier.split('/');
  const name = specifier.startsWith('@') ? parts.slice(0, 2).join('/') : parts[0];
  packageImporters.set(name, (packageImporters.get(name) ?? new Set()).add(path));
}

/** `src/front/files/media.ts` -> `front`; undefined outside src/. */
function roomOf(path) {
  const [top, room] = path.split('/');
  return top === 'src' ? room : undefined;
}

function floorOf(room) {
  return floors.findIndex((floor) => Object.hasOwn(floor, room));
}

/** Each circle once, as the files on it in order, the first one again at the end. */
function circles(graph) {
  const found = [];
  const finished = new Set();
  const path = [];
  const visit = (file) => {
    if (path.includes(file)) return found.push([...path.slice(path.indexOf(file)), file]);
    if (finished.has(file)) return;
    path.push(file);
    for (const next of graph.get(file) ?? []) visit(next);
    path.pop();
    finished.add(file);
  };
  for (const file of graph.keys()) visit(file);
  return found;
}

/** The table stands in docs/architecture.md between two marks. */
function checkFloorTable(writes) {
  const page = 'docs/architecture.md';
  const text = readText(page);
  const [before, , after] = text.split(/(?<=<!-- floors -->\n)([\s\S]*?)(?=<!-- end of floors -->)/);
  if (after === undefined) return report(page, 'the marks of the floor table are missing');
  const fresh = before + floorTable() + after;
  if (fresh === text) return;
  if (writes) writeFileSync(join(root, page), fresh);
  else report(page, 'the table of floors is not current: node scripts/check-imports.mjs --write');
}

function floorTable() {
  const rows = floors.flatMap((floor, index) =>
    Object.entries(floor).map(([room, what]) => `| ${index} | \`${room}/\` | ${what} |`),
  );
  return `| floor | room | what lives there |\n| --- | --- | --- |\n${rows.reverse().join('\n')}\n`;
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

function readText(path) {
  return readFileSync(join(root, path), 'utf8');
}

function report(path, problem) {
  problems.push(`${path}: ${problem}`);
}
