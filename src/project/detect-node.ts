import { dirname, extname, join, resolve } from 'node:path';
import { ApplicationError } from '../contracts/errors.js';
import type { NodeFacts, Project } from '../contracts/project-facts.js';
import { readTextFile } from '../contracts/read-file.js';
import { exists, isFile } from './path-checks.js';
import { readNodeCommand } from './start-script.js';

export interface NodeDetection {
  /** Absolute, symlinks resolved. */
  readonly root: string;
  /** The setting `app`, when it names a file; null: look for one. */
  readonly file: string | null;
  readonly node: NodeAbilities;
}

/** Of the Node.js that runs easyserve, and the application too. */
export interface NodeAbilities {
  /** `v22.18.0` */
  readonly version: string;
  /** process.features.typescript: it runs TypeScript as it is, without a flag. */
  readonly stripsTypes: boolean;
}

export interface NodeFinding {
  readonly project: Project | undefined;
  /** What was looked for, and what was left out and why, for the error "nothing found". */
  readonly lookedFor: readonly string[];
}

interface Package {
  readonly main: string | undefined;
  readonly start: string | undefined;
  readonly hasBuild: boolean;
  readonly hasDependencies: boolean;
}

const usualNames = ['server', 'app', 'index'];
const endings = ['.js', '.mjs', '.cjs'];
const typedEndings = ['.ts', '.mts', '.cts'];
/** They rebuild what they serve at each change: made for a developer, not for visitors. */
const developmentServers =
  /^(?:npx )?(?:react-scripts start|vite(?! preview)\b|ng serve|vue-cli-service serve|webpack(?:-dev-server| serve)|parcel\b(?! build)|next dev|nuxt dev|astro dev)/;
/** Flags that bring a compiler of their own: `--import tsx`. */
const loadingFlags = /^(-r|--require|--import|--loader|--experimental-loader|--experimental-strip-types)\b/;

/**
 * Finds a Node.js application: the file that is named, else in a folder with package.json what `scripts.start` runs, `main`, or a
 * file with one of the usual names. A start script that is more than `node file` is a command.
 *
 * Throws ApplicationError where something is named that is not there, or can't be run.
 */
export async function detectNode(detection: NodeDetection): Promise<NodeFinding> {
  const { root, file, node } = detection;
  const manifest = await readPackage(root);
  const warnings = manifest === undefined ? [] : await listWarnings(root, manifest);
  const run = (path: string, facts: NodeFacts = plainNode): NodeFinding => {
    checkLanguage(path, facts, node);
    const { nodeArgs, args, env } = facts;
    return found({
      ...{ kind: 'node', server: 'node', root, application: path },
      node: { nodeArgs, args, env },
      warnings,
    });
  };
  if (file !== null) return run(await findNamed(root, file));
  const usual = listUsualFiles(node);
  const looked = `package.json (Node.js) in ${root}, with scripts.start, main, or beside ${usual.slice(0, 3).join(', ')}`;
  if (manifest === undefined) return { project: undefined, lookedFor: [looked] };
  const { start, main } = manifest;
  if (start !== undefined) {
    const command = readNodeCommand(start);
    if (command !== undefined) return run(await findStarted(root, command.file, manifest), command);
    if (!developmentServers.test(start)) {
      return found({ kind: 'command', server: 'command', root, application: start, warnings });
    }
  }
  const path =
    (main === undefined ? undefined : await findModule(resolve(root, main))) ??
    (await findFirst(root, usual));
  if (path !== undefined) return run(path);
  return { project: undefined, lookedFor: [looked, ...explainNothing(manifest)] };
}

// Private

const plainNode: NodeFacts = { nodeArgs: [], args: [], env: {} };

function found(project: Project): NodeFinding {
  return { project, lookedFor: [] };
}

function explainNothing({ start }: Package): string[] {
  if (start === undefined) return ['package.json is there, but names nothing to start'];
  const advice = 'build the site, and serve the folder with the result';
  return [`package.json is there, but its start script (${start}) is a server for development: ${advice}`];
}

async function readPackage(root: string): Promise<Package | undefined> {
  const path = join(root, 'package.json');
  const text = await readTextFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
    throw new ApplicationError('package-unreadable', `${path} can't be read: ${error.message}.`);
  });
  if (text === undefined) return undefined;
  const content = parseObject(text, path);
  const scripts = toObject(content.scripts);
  return {
    main: toText(content.main),
    start: toText(scripts.start),
    hasBuild: scripts.build !== undefined,
    hasDependencies: Object.keys(toObject(content.dependencies)).length > 0,
  };
}

function parseObject(text: string, path: string): Record<string, unknown> {
  try {
    // Some editors write a byte order mark; npm takes it too.
    const content: unknown = JSON.parse(text.replace(/^\uFEFF/, ''));
    if (typeof content === 'object' && content !== null && !Array.isArray(content)) {
      return content as Record<string, unknown>;
    }
  } catch (error) {
    throw new ApplicationError('package-syntax', `${path} is no JSON: ${(error as Error).message}.`);
  }
  throw new ApplicationError('package-syntax', `${path} is no package: it holds no JSON object.`);
}

function toObject(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function toText(value: unknown): string | undefined {
  return typeof value === 'string' && value.trim() !== '' ? value : undefined;
}

async function findNamed(root: string, file: string): Promise<string> {
  const path = resolve(root, file);
  if (await isFile(path)) return path;
  throw new ApplicationError(
    'application-file-missing',
    `There is no file ${path}, which the setting app names.`,
  );
}

async function findStarted(root: string, file: string, { hasBuild }: Package): Promise<string> {
  const path = await findModule(resolve(root, file));
  if (path !== undefined) return path;
  throw new ApplicationError(
    'application-file-missing',
    `There is no file ${resolve(root, file)}, which the start script in package.json names.`,
    { hint: hasBuild ? 'npm run build' : undefined },
  );
}

/** As `node path` finds it: the file, with an ending, or a folder with a package or an index (Node.js documentation, modules). */
async function findModule(path: string): Promise<string | undefined> {
  for (const ending of ['', '.js', '.cjs', '.mjs']) if (await isFile(path + ending)) return path + ending;
  const main = await readPackage(path).then((manifest) => manifest?.main);
  if (main !== undefined && resolve(path, main) !== path) return findModule(resolve(path, main));
  return findFirst(path, ['index.js', 'index.cjs', 'index.mjs']);
}

async function findFirst(folder: string, names: readonly string[]): Promise<string | undefined> {
  for (const name of names) if (await isFile(join(folder, name))) return join(folder, name);
  return undefined;
}

function listUsualFiles({ stripsTypes }: NodeAbilities): string[] {
  const possible = stripsTypes ? [...endings, ...typedEndings] : endings;
  return usualNames.flatMap((name) => possible.map((ending) => `${name}${ending}`));
}

function checkLanguage(path: string, { nodeArgs }: NodeFacts, { version, stripsTypes }: NodeAbilities): void {
  if (!typedEndings.includes(extname(path)) || stripsTypes) return;
  if (nodeArgs.some((flag) => loadingFlags.test(flag))) return;
  throw new ApplicationError(
    'typescript-unsupported',
    `${path} is TypeScript, which Node.js ${version} does not run.`,
    {
      hint: 'Use Node.js 22.18 or newer, or compile it and name the result: easyserve start --set app=dist/server.js',
    },
  );
}

async function listWarnings(root: string, { hasDependencies }: Package): Promise<string[]> {
  if (!hasDependencies || (await hasModules(root))) return [];
  return [`The packages of ${join(root, 'package.json')} are not installed: npm install`];
}

/** In a workspace they are in a folder above. */
async function hasModules(folder: string): Promise<boolean> {
  const parent = dirname(folder);
  return (await exists(join(folder, 'node_modules'))) || (parent !== folder && (await hasModules(parent)));
}
