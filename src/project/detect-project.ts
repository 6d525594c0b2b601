import { readdir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ApplicationError } from '../errors.js';
import type { DjangoFacts, Project } from '../project-facts.js';
import type { Settings } from '../settings/settings.js';
import { askAboutDjango, askAboutWsgi, type PythonQuestion } from './ask-python.js';
import { type FoundInterpreter, findInterpreter } from './interpreter.js';
import { type RunCommand, runCommand } from './run-command.js';

export interface Detection {
  /** The folder that the person named. A symbolic link is followed anew each time. */
  readonly root: string;
  readonly settings: Pick<Settings, 'app' | 'settingsModule' | 'python' | 'scriptName'>;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Also imports a Django project's WSGI application, for its size and the state of the GIL. */
  readonly measure: boolean;
  /** For each program that is asked. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  readonly run?: RunCommand;
}

/** Files that usually hold a WSGI application, in the order in which they are tried. */
const usualFiles = ['wsgi.py', 'app.py', 'application.py'];

/**
 * Finds out what stands in the folder, and asks its Python for the rest.
 *
 * Called by launcher at start and at each reload. Throws ApplicationError; nothing is left running.
 */
export async function detectProject(detection: Detection): Promise<Project> {
  const named = await resolveFolder(detection.root);
  const djangoRoot = await findDjangoRoot(named, detection.settings);
  return djangoRoot === undefined ? detectWsgi(detection, named) : detectDjango(detection, named, djangoRoot);
}

async function resolveFolder(path: string): Promise<string> {
  const folder = await realpath(path).catch(() => undefined);
  if (folder !== undefined && (await stat(folder)).isDirectory()) return folder;
  throw new ApplicationError('folder-missing', `There is no folder ${path}.`);
}

/**
 * The folder with manage.py: the named one, else a folder in it. With the setting `app` only the named one counts, for
 * the setting is meant from there; with `settingsModule` it counts without a manage.py.
 */
async function findDjangoRoot(named: string, settings: Detection['settings']): Promise<string | undefined> {
  if (settings.settingsModule !== null || (await isFile(join(named, 'manage.py')))) return named;
  if (settings.app !== null) return undefined;
  const roots = await listDjangoFolders(named);
  if (roots.length > 1) {
    throw new ApplicationError('several-applications', `There are several Django projects in ${named}.`, {
      detail: roots.map((root) => join(root, 'manage.py')).join('\n'),
      hint: `easyserve start ${roots[0]}`,
    });
  }
  return roots[0];
}

async function listDjangoFolders(named: string): Promise<string[]> {
  const folders: string[] = [];
  for (const entry of (await readdir(named)).sort()) {
    const folder = join(named, entry);
    if (entry.startsWith('.') || entry === 'node_modules') continue;
    if (!(await isFile(join(folder, 'manage.py'))) || (await isFile(join(folder, 'pyvenv.cfg')))) continue;
    folders.push(await realpath(folder));
  }
  return [...new Set(folders)];
}

async function detectDjango(detection: Detection, named: string, root: string): Promise<Project> {
  const { settings, measure } = detection;
  const { question, python } = await choosePython(detection, named, root);
  const manage = join(root, 'manage.py');
  const args: string[] = [];
  if (await isFile(manage)) args.push(`--manage=${manage}`);
  if (settings.settingsModule !== null) args.push(`--settings-module=${settings.settingsModule}`);
  if (settings.app !== null) args.push(`--application=${settings.app}`);
  if (settings.scriptName !== '') args.push(`--script-name=${settings.scriptName}`);
  if (measure) args.push('--measure');
  const report = await askAboutDjango(question, args);
  return {
    kind: 'django',
    root,
    python: withGil(python, report.isGilEnabled),
    application: report.application,
    settingsModule: report.settingsModule,
    django: report.django as unknown as DjangoFacts,
    applicationRssBytes: report.rssBytes ?? undefined,
    warnings: [...python.passedOver, ...report.warnings],
  };
}

async function detectWsgi(detection: Detection, root: string): Promise<Project> {
  const { app } = detection.settings;
  const files = app === null ? await listUsualFiles(root) : [];
  if (app === null && files.length === 0) throw noApplication(root);
  const { question, python } = await choosePython(detection, root, root);
  const specs = app === null ? files.map((file) => file.slice(0, -'.py'.length)) : [app];
  const report = await askAboutWsgi(question, specs);
  if (report.application === null) throw noApplication(root, files);
  return {
    kind: 'wsgi',
    root,
    python: withGil(python, report.isGilEnabled),
    application: report.application,
    settingsModule: undefined,
    django: undefined,
    applicationRssBytes: report.rssBytes ?? undefined,
    warnings: python.passedOver,
  };
}

async function choosePython(
  { settings, env, timeoutMs, signal, run = runCommand }: Detection,
  named: string,
  root: string,
): Promise<{ question: PythonQuestion; python: FoundInterpreter }> {
  const { platform } = process;
  const python = await findInterpreter({
    root,
    named,
    env,
    setting: settings.python,
    platform,
    timeoutMs,
    signal,
    run,
  });
  return { question: { python, root, env, timeoutMs, signal, run }, python };
}

function withGil({ path, source, version }: FoundInterpreter, isGilEnabled: boolean): Project['python'] {
  return { path, source, version, isGilEnabled };
}

async function listUsualFiles(root: string): Promise<string[]> {
  const found: string[] = [];
  for (const file of usualFiles) if (await isFile(join(root, file))) found.push(file);
  return found;
}

/** `without`: files that are there, but hold no application. */
function noApplication(root: string, without: readonly string[] = []): ApplicationError {
  const looked = [
    `manage.py (Django) in ${root} and the folders in it`,
    `${usualFiles.join(', ')} in ${root}, with application, app, create_app() or make_app()`,
    ...without.map((file) => `${file} is there, but has none of these`),
  ];
  return new ApplicationError('no-application', `No application was found in ${root}.`, {
    detail: `Looked for:\n${looked.map((line) => `  ${line}`).join('\n')}`,
    hint: 'easyserve start --set app=module:callable',
  });
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile();
  } catch {
    return false; // not there, or not ours to read
  }
}
