import { basename, delimiter, isAbsolute, join, resolve } from 'node:path';
import { ApplicationError } from '../contracts/errors.js';
import type { Interpreter } from '../contracts/project-facts.js';
import { readTextFile } from '../contracts/read-file.js';
import { describeRequirements } from './install-command.js';
import { exists, isExecutable } from './path-checks.js';
import { listProjectFolders } from './project-folders.js';
import { warnOfOtherPython } from './required-python.js';
import type { CommandResult, RunOptions } from './run-command.js';
import {
  type Environment,
  environmentPython,
  findUnusualName,
  listEnvironments,
} from './virtual-environment.js';

/** What to search, and with what. */
export interface InterpreterSearch extends RunOptions {
  /** The application's folder. */
  readonly root: string;
  /** The folder that the person named: `root`, or the one that holds it. */
  readonly named: string;
  /** The setting `python`: a path (relative to `named`), a virtual environment's folder, or a name on PATH. */
  readonly setting: string | null;
  readonly platform: NodeJS.Platform;
}

export interface FoundInterpreter extends Omit<Interpreter, 'isGilEnabled'> {
  /** Sentences for the log: where one was expected and none was found, with the reason, and that the project names another. */
  readonly warnings: readonly string[];
}

interface Candidate {
  readonly path: string;
  readonly source: string;
}

/** A search in progress: the folders to look at, nearest first, and what was passed over so far. */
interface Walk extends InterpreterSearch {
  readonly folders: readonly string[];
  readonly warnings: string[];
  /** Environments whose Python can't be run. */
  readonly broken: Environment[];
}

const oldestVersion = [3, 8] as const;
const hint =
  'Install Python 3.8 or later (Debian, Ubuntu: apt install python3; macOS: brew install python), or name one: easyserve start --set python=/path/to/python';

/** Throws ApplicationError: nothing found, one that does not run, or one older than Python 3.8. */
export async function findInterpreter(search: InterpreterSearch): Promise<FoundInterpreter> {
  const folders = await listProjectFolders(search.root, search.named);
  const walk: Walk = { ...search, folders, warnings: [], broken: [] };
  const chosen = search.setting === null ? await look(walk) : await takeSetting(walk, search.setting);
  const found = await tryOut(walk, chosen);
  return { ...found, warnings: [...walk.warnings, ...(await warnOfOtherPython(folders, found))] };
}

async function look(walk: Walk): Promise<Candidate> {
  const found =
    (await lookInVariable(walk, 'VIRTUAL_ENV', walk.root)) ??
    (await lookInFolders(walk)) ??
    (await lookInPdm(walk)) ??
    (await askTools(walk)) ??
    (await lookForUnusualName(walk));
  if (found !== undefined) return found;
  const [broken] = walk.broken;
  // The system's Python may have other packages, older ones too: a site would run on them without a word.
  if (broken !== undefined) throw await brokenEnvironment(walk, broken);
  const onPath = await lookOnPath(walk);
  if (onPath !== undefined) return onPath;
  throw new ApplicationError('python-missing', 'No Python interpreter was found.', {
    hint,
    detail: walk.warnings.join('\n') || undefined,
  });
}

async function takeSetting(walk: Walk, setting: string): Promise<Candidate> {
  const source = 'setting';
  const onPath = basename(setting) === setting ? await findOnPath(walk, setting) : undefined;
  if (onPath !== undefined) return { path: onPath, source };
  const path = resolve(walk.named, setting);
  for (const each of [environmentPython(path, walk.platform), path]) {
    if (await isExecutable(each)) return { path: each, source };
  }
  throw new ApplicationError(
    'python-missing',
    `The setting python is ${JSON.stringify(setting)}, but there is no such interpreter.`,
    { hint: 'Correct the setting, or remove it to let easyserve find the interpreter.' },
  );
}

/** The environment that a variable names, from `base`. */
async function lookInVariable(walk: Walk, name: string, base: string): Promise<Candidate | undefined> {
  const folder = walk.env[name];
  if (!folder) return undefined;
  const path = environmentPython(resolve(base, folder), walk.platform);
  if (await isExecutable(path)) return { path, source: `$${name}` };
  walk.warnings.push(`$${name} is ${folder}, but there is no ${path}.`);
  return undefined;
}

async function lookInFolders(walk: Walk): Promise<Candidate | undefined> {
  for (const folder of walk.folders) {
    for (const environment of await listEnvironments(folder, walk.platform)) {
      if (environment.fault === undefined) return { path: environment.python, source: environment.name };
      walk.warnings.push(environment.fault);
      walk.broken.push(environment);
    }
  }
  return undefined;
}

/** Where pdm keeps the path of the project's Python (PDM, "Working with virtual environments"). */
async function lookInPdm(walk: Walk): Promise<Candidate | undefined> {
  const folder = await findFolder(walk, (each) => exists(join(each, '.pdm-python')));
  if (folder === undefined) return undefined;
  const file = join(folder, '.pdm-python');
  const path = (await readTextFile(file).catch(() => '')).trim();
  if (isAbsolute(path) && (await isExecutable(path))) return { path, source: 'pdm' };
  walk.warnings.push(`${file} names ${path}, which can't be run: pdm install`);
  return undefined;
}

async function lookForUnusualName({ root, platform }: Walk): Promise<Candidate | undefined> {
  const source = await findUnusualName(root);
  const path = source && environmentPython(join(root, source), platform);
  return source && path && (await isExecutable(path)) ? { path, source } : undefined;
}

async function brokenEnvironment(walk: Walk, { fault, folder }: Environment): Promise<ApplicationError> {
  const clear = `python3 -m venv --clear ${folder}`;
  const python = { path: environmentPython(folder, walk.platform), source: 'environment' };
  const install = await describeRequirements({ ...walk, python }, undefined);
  const isPip = install === undefined || install.startsWith(python.path);
  return new ApplicationError('python-broken', fault ?? '', {
    detail: walk.warnings.filter((each) => each !== fault).join('\n') || undefined,
    hint: isPip ? [clear, ...(install === undefined ? [] : [install])].join(' && ') : install,
  });
}

/** Tools that know where the environment of a project is. */
const tools = [
  {
    name: 'poetry',
    args: ['env', 'info', '--executable'],
    keeps: async (folder: string) => (await exists(join(folder, 'poetry.lock'))) || usesPoetry(folder),
  },
  { name: 'pipenv', args: ['--py'], keeps: (folder: string) => exists(join(folder, 'Pipfile')) },
  { name: 'uv', args: ['python', 'find'], keeps: (folder: string) => exists(join(folder, 'uv.lock')) },
];

async function usesPoetry(folder: string): Promise<boolean> {
  const file = join(folder, 'pyproject.toml');
  return (await exists(file)) && /^\s*\[tool\.poetry\]/m.test(await readTextFile(file));
}

async function askTools(walk: Walk): Promise<Candidate | undefined> {
  for (const { name, args, keeps } of tools) {
    const folder = await findFolder(walk, keeps);
    if (folder === undefined) continue;
    const named = name === 'uv' ? await lookInVariable(walk, 'UV_PROJECT_ENVIRONMENT', folder) : undefined;
    const found = named ?? (await ask(walk, folder, name, args));
    if (found !== undefined) return found;
  }
  return undefined;
}

async function lookOnPath(walk: Walk): Promise<Candidate | undefined> {
  for (const name of ['python3', 'python']) {
    const path = await findOnPath(walk, name);
    if (path !== undefined) return { path, source: `${name} of PATH` };
  }
  return undefined;
}

/** Asks a tool where the interpreter is. Without the tool, or without an answer, the place is passed over. */
async function ask(
  walk: Walk,
  cwd: string,
  tool: string,
  args: readonly string[],
): Promise<Candidate | undefined> {
  const passOver = (reason: string) => {
    walk.warnings.push(`${cwd} is a project of ${tool}, but ${reason}.`);
    return undefined;
  };
  const command = await findOnPath(walk, tool);
  if (command === undefined) return passOver(`there is no ${tool} on PATH`);
  const { env, timeoutMs, signal, run } = walk;
  const said = `\`${tool} ${args.join(' ')}\``;
  const result = await run({ command, args, cwd, env, timeoutMs, signal }).catch((error: unknown) => {
    signal?.throwIfAborted();
    return String(error);
  });
  if (typeof result === 'string') return passOver(`${said} cannot be started: ${result}`);
  if (result.isTimedOut) return passOver(`${said} took longer than ${timeoutMs} ms`);
  const path = result.stdout.split('\n').at(-1)?.trim() ?? '';
  if (result.code !== 0) return passOver(`${said} failed: ${result.output.split('\n').at(-1)}`);
  const isInterpreter = isAbsolute(path) && (await isExecutable(path));
  return isInterpreter ? { path, source: tool } : passOver(`${said} named no interpreter: ${path}`);
}

/** Runs the interpreter once: for its version, and for its own path, because a shim on PATH stands for another. */
async function tryOut(walk: Walk, found: Candidate): Promise<Candidate & { version: string }> {
  const named = `${found.path} (from ${found.source})`;
  const result = await runProbe(walk, found.path).catch((cause: unknown) => {
    walk.signal?.throwIfAborted();
    throw broken(`The interpreter ${named} cannot be started: ${String(cause)}`);
  });
  if (result.isTimedOut) {
    throw broken(`The interpreter ${named} does not answer within ${walk.timeoutMs} ms.`, result.output);
  }
  const [executable = '', version = ''] = result.stdout.split('\n').slice(-2);
  if (result.code !== 0 || !/^\d+\.\d+\.\d+$/.test(version)) {
    throw broken(`The interpreter ${named} does not work.`, result.output);
  }
  if (isTooOld(version)) {
    const message = `The interpreter ${named} is Python ${version}; 3.8 is the oldest that works.`;
    throw new ApplicationError('python-too-old', message, { hint });
  }
  const path = found.source === 'setting' || !isAbsolute(executable) ? found.path : executable;
  return { path, source: found.source, version };
}

function runProbe(walk: Walk, command: string): Promise<CommandResult> {
  const { env, timeoutMs, signal, run, root: cwd } = walk;
  const program = 'import sys; print(sys.executable); print("%d.%d.%d" % sys.version_info[:3])';
  return run({ command, args: ['-S', '-c', program], cwd, env, timeoutMs, signal });
}

function broken(message: string, detail?: string): ApplicationError {
  return new ApplicationError('python-broken', message, { hint, detail });
}

function isTooOld(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major < oldestVersion[0] || (major === oldestVersion[0] && minor < oldestVersion[1]);
}

async function findOnPath(walk: Walk, name: string): Promise<string | undefined> {
  const file = walk.platform === 'win32' && !name.endsWith('.exe') ? `${name}.exe` : name;
  for (const folder of (walk.env.PATH ?? '').split(delimiter).filter(isAbsolute)) {
    if (await isExecutable(join(folder, file))) return join(folder, file);
  }
  return undefined;
}

async function findFolder(
  walk: Walk,
  matches: (folder: string) => Promise<boolean>,
): Promise<string | undefined> {
  for (const folder of walk.folders) {
    if (await matches(folder)) return folder;
  }
  return undefined;
}
