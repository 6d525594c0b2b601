import { realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { ApplicationError } from '../contracts/errors.js';
import type { Project } from '../contracts/project-facts.js';
import type { Settings } from '../settings/settings.js';
import { readInterfacePreference } from './choose-server.js';
import { detectBuiltSite } from './detect-built-site.js';
import { detectFolder, isSiteFolder } from './detect-folder.js';
import { detectNode, type NodeAbilities } from './detect-node.js';
import { detectDjango, detectPython, type PythonDetection } from './detect-python.js';
import { findProjectAbove, hasManage, listDjangoFolders } from './django-folders.js';
import { isFolder } from './path-checks.js';
import { listPythonPlaces, placeOf, usualFiles } from './python-places.js';
import { suggestApplication } from './suggest-application.js';

export interface Detection extends PythonDetection {
  /** The folder that the person named. A symbolic link is followed anew each time. */
  readonly root: string;
  readonly settings: PythonDetection['settings'] & Pick<Settings, 'command' | 'folder' | 'fallback'>;
  /** Default: the Node.js that runs us. */
  readonly node?: NodeAbilities;
}

/**
 * Finds out what stands in the folder, and asks its Python for the rest.
 *
 * Throws ApplicationError and SettingsError; nothing is left running.
 */
export async function detectProject(detection: Detection): Promise<Project> {
  const { settings } = detection;
  const named = await resolveFolder(detection.root);
  if (settings.command !== null) {
    // Nothing is looked at: the person has said everything.
    return { kind: 'command', server: 'command', root: named, application: settings.command, warnings: [] };
  }
  if (settings.folder !== null) return detectFolder(named, settings.folder, settings);
  if (settings.server === 'node' || isScript(settings.app)) {
    const { project, lookedFor } = await detectNode({
      root: named,
      file: settings.app,
      node: nodeOf(detection),
    });
    if (project === undefined) throw noApplication(named, lookedFor);
    return project;
  }
  const djangoRoot = await findDjangoRoot(named, settings);
  return djangoRoot === undefined
    ? detectByFiles(detection, named)
    : detectDjango(detection, named, djangoRoot);
}

/** A file of Node.js; `module:callable` has no such ending. */
function isScript(app: string | null): boolean {
  return app !== null && /\.[cm]?[jt]s$/.test(app);
}

async function resolveFolder(path: string): Promise<string> {
  const folder = await realpath(path).catch(() => undefined);
  if (folder !== undefined && (await isFolder(folder))) return folder;
  throw new ApplicationError('folder-missing', `There is no folder ${path}.`);
}

/**
 * The folder with manage.py: the named one, else a folder in it. With the setting `app` only the named one counts, because
 * the setting is meant from there; with `settingsModule` it counts without a manage.py.
 */
async function findDjangoRoot(named: string, settings: Detection['settings']): Promise<string | undefined> {
  if (settings.settingsModule !== null || (await hasManage(named))) return named;
  if (settings.app !== null) return undefined;
  const above = await findProjectAbove(named);
  if (above !== undefined) throw insideOfProject(named, above);
  const roots = await listDjangoFolders(named);
  if (roots.length > 1) {
    throw new ApplicationError('several-applications', `There are several Django projects in ${named}.`, {
      detail: roots.map((root) => join(root, 'manage.py')).join('\n'),
      hint: `easyserve start ${roots[0]}`,
    });
  }
  return roots[0];
}

/** What no setting names: Python's usual files, then package.json, and last a folder that only has files. */
async function detectByFiles(detection: Detection, root: string): Promise<Project> {
  const { settings } = detection;
  const places =
    settings.app === null ? await listPythonPlaces(root, detection.env) : [await placeOf(root, settings.app)];
  for (const place of places) {
    const python = await detectPython(detection, root, place);
    if (python !== undefined) return python;
  }
  const kind = readInterfacePreference(settings).interface;
  const missed = places
    .flatMap(({ files }) => files)
    .map((file) => `${file} is there, but has none of these${kind ? ` for ${kind.toUpperCase()}` : ''}`);
  const looked = [...describePythonSearch(root), ...missed];
  if (settings.app !== null || settings.server !== 'auto') throw noApplication(root, looked);
  const node = await detectNode({ root, file: null, node: nodeOf(detection) });
  if (node.project !== undefined) return node.project;
  const built = await detectBuiltSite(root, detection.root, settings);
  if (built !== undefined) return built;
  // Not resolved: a link that is turned to another release is followed at each request.
  if (await isSiteFolder(detection.root)) return detectFolder(root, detection.root, settings);
  const all = [...looked, ...node.lookedFor, `index.html (a folder of files) in ${root}`];
  throw noApplication(root, all, await suggestApplication(root));
}

function nodeOf({ node }: Detection): NodeAbilities {
  // Older versions do not have the feature's name, and @types/node 20 does not know it.
  const { typescript } = process.features as { typescript?: string | false };
  return node ?? { version: process.version, stripsTypes: Boolean(typescript) };
}

function describePythonSearch(root: string): readonly string[] {
  return [
    `manage.py (Django) in ${root} and the folders in it`,
    `${usualFiles.join(', ')}, server.py, api.py and packages in ${root} and src, with application, app, create_app() or make_app()`,
  ];
}

/** Its wsgi.py would be found, and could not import the settings from there. */
function insideOfProject(folder: string, above: string): ApplicationError {
  const message = `${folder} is a package of a Django project: manage.py is one level up.`;
  return new ApplicationError('no-application', message, { hint: `easyserve start ${above}` });
}

function noApplication(
  root: string,
  looked: readonly string[],
  hint = 'easyserve start --set app=module:callable, or --set command="…" for any other server',
): ApplicationError {
  return new ApplicationError('no-application', `No application was found in ${root}.`, {
    detail: `Looked for:\n${looked.map((line) => `  ${line}`).join('\n')}`,
    hint,
  });
}
