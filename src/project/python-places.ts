import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { readTextFile } from '../contracts/read-file.js';
import { exists, isFile, isFolder } from './path-checks.js';

/** Where a Python application may be: modules below one entry of sys.path. */
export interface PythonPlace {
  /** Beside the project's folder on sys.path; undefined: that alone. */
  readonly pythonPath: string | undefined;
  /** `module`, or `module:callable` where something names it. */
  readonly specs: readonly string[];
  /** What was found, for a person. */
  readonly files: readonly string[];
}

/** Files that usually hold a WSGI or ASGI application, in the order in which they are tried. */
export const usualFiles = ['wsgi.py', 'asgi.py', 'app.py', 'application.py', 'main.py'];
/** Those that are imported only where their text has an application, or starts a server: they may be anything. */
const otherFiles = ['server.py', 'api.py'];
const packageFiles = ['__init__.py', 'main.py', 'app.py', 'api.py', 'wsgi.py', 'asgi.py', 'server.py'];
const hasApplication =
  /^(?:app|application)\b[^=\n]*=(?!=)|^(?:async )?def (?:app|application|create_app|make_app)\b/m;
const startsServer = /^(?:\w+\.)*(?:run|run_simple|serve|serve_forever)\(/m;
const otherFolders = /^(?:\.|_)|^(?:tests?|docs|examples|scripts|migrations|node_modules|venv|env|src)$/;

/** A folder that belongs to a project, and has no application of it. */
export function isOtherFolder(name: string): boolean {
  return otherFolders.test(name);
}

/**
 * Lists them: what FLASK_APP names, files with a usual name, and packages that have an application; at last the same below `src`, which is
 * put on sys.path as `fastapi run` and an installation of the project would do it.
 */
export async function listPythonPlaces(
  root: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<readonly PythonPlace[]> {
  const flask = readFlaskApp(env.FLASK_APP ?? (await readDotenv(root, 'FLASK_APP')));
  const source = join(root, 'src');
  const places = [
    { pythonPath: undefined, specs: flask === undefined ? [] : [flask], files: [] },
    toPlace(undefined, [...(await listFiles(root)), ...(await listPackages(root))]),
    toPlace(source, [...(await listFiles(source)), ...(await listPackages(source))]),
  ];
  return places.filter(({ specs }) => specs.length > 0);
}

/** What the setting `app` names. A module that is in `src` alone is found there. */
export async function placeOf(root: string, spec: string): Promise<PythonPlace> {
  const [module = ''] = spec.split(':');
  const path = module.replaceAll('.', '/');
  const isBelow = async (folder: string): Promise<boolean> =>
    (await isFile(join(folder, `${path}.py`))) || (await isFolder(join(folder, path)));
  const source = join(root, 'src');
  const isInSource = !(await isBelow(root)) && (await isBelow(source));
  return { pythonPath: isInSource ? source : undefined, specs: [spec], files: [] };
}

// Private

function toPlace(pythonPath: string | undefined, files: readonly string[]): PythonPlace {
  const specs = files.map((file) => file.replace(/(?:\/__init__)?\.py$/, '').replaceAll('/', '.'));
  return { pythonPath, specs, files };
}

async function listFiles(folder: string): Promise<string[]> {
  const found: string[] = [];
  for (const file of usualFiles) if (await isFile(join(folder, file))) found.push(file);
  for (const file of otherFiles) if (await mayServe(join(folder, file))) found.push(file);
  return found;
}

async function listPackages(folder: string): Promise<string[]> {
  const found: string[] = [];
  const names = await readdir(folder).catch(() => []);
  for (const name of names.sort()) {
    const path = join(folder, name);
    if (isOtherFolder(name) || !(await isFolder(path)) || (await exists(join(path, 'pyvenv.cfg')))) continue;
    for (const file of packageFiles) if (await mayServe(join(path, file))) found.push(`${name}/${file}`);
  }
  return found;
}

async function mayServe(path: string): Promise<boolean> {
  const text = await readTextFile(path).catch(() => '');
  return hasApplication.test(text) || startsServer.test(text);
}

/** As Flask does it (Flask, "Command Line Interface"), but of factories only those without arguments. */
function readFlaskApp(value: string | undefined): string | undefined {
  if (value === undefined || value.trim() === '') return undefined;
  const [file = '', name] = value.trim().split(':');
  const module = file.replace(/\.py$/, '').replace(/^\.\//, '').replaceAll('/', '.');
  if (name === undefined) return module;
  return /^(?:create_app|make_app)$/.test(name) ? `${module}:${name}()` : `${module}:${name}`;
}

/** From the files that the command `flask` reads. */
async function readDotenv(root: string, name: string): Promise<string | undefined> {
  for (const file of ['.flaskenv', '.env']) {
    const text = await readTextFile(join(root, file)).catch(() => '');
    const [, value] = new RegExp(`^(?:export )?${name}=["']?([^"'\\n]+)`, 'm').exec(text) ?? [];
    if (value !== undefined) return value;
  }
  return undefined;
}
