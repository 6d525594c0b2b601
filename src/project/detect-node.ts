import { extname, join, resolve } from 'node:path';
import { ApplicationError } from '../contracts/errors.js';
import type { NodeFacts, Project } from '../contracts/project-facts.js';
import { findBuiltServer, findCarriedServer, findFramework } from './framework-build.js';
import { findPackageTool, isInstalled, type NodePackage, readPackage } from './node-package.js';
import { exists, isFile, isFolder } from './path-checks.js';
import { type ProductionScript, readProductionScript } from './production-script.js';
import type { NodeCommand } from './start-script.js';

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

/** What is run, of what is there, and what is to be said about it. */
type Choice =
  | { readonly file: string; readonly facts?: NodeFacts; readonly notes?: readonly string[] }
  | { readonly command: string; readonly notes?: readonly string[] };

const usualNames = ['server', 'app', 'index'];
const endings = ['.js', '.mjs', '.cjs'];
const typedEndings = ['.ts', '.mts', '.cts'];
/** Flags that bring a compiler of their own: `--import tsx`. */
const loadingFlags = /^(-r|--require|--import|--loader|--experimental-loader|--experimental-strip-types)\b/;

/** engine.io, and what brings it. */
const engineIo = ['socket.io', 'engine.io', '@nestjs/platform-socket.io', 'fastify-socket.io'];

const plainNode: NodeFacts = { nodeArgs: [], args: [], env: {} };

/**
 * Finds a Node.js application: the file that is named, else what the start script of package.json runs, the server that a framework has
 * built, `main`, or a file with one of the usual names. A start script that is more than `node file` is a command.
 *
 * Throws ApplicationError where something is named that is not there, or can't be run.
 */
export async function detectNode(detection: NodeDetection): Promise<NodeFinding> {
  const { root, file, node } = detection;
  const manifest = await readPackage(root);
  const usual = listUsualFiles(node);
  const choice = file === null ? await choose(root, manifest, usual) : { file: await findNamed(root, file) };
  if (choice === undefined) {
    const looked = `package.json (Node.js) in ${root}, with scripts.start, main, or beside ${usual.slice(0, 3).join(', ')}`;
    return { project: undefined, lookedFor: [looked, ...explainNothing(manifest)] };
  }
  const warnings = [...(choice.notes ?? []), ...(manifest ? await listWarnings(root, manifest) : [])];
  const hasEngineIo = manifest !== undefined && engineIo.some((name) => manifest.packages.has(name));
  const all = { root, warnings, ...(hasEngineIo && { hasEngineIo }) };
  if ('command' in choice) {
    return found({ ...all, kind: 'command', server: 'command', application: choice.command });
  }
  const { nodeArgs, args, env } = choice.facts ?? plainNode;
  checkLanguage(choice.file, nodeArgs, node);
  const environment = { ...(manifest && findFramework(manifest)?.env), ...env };
  return found({
    ...{ ...all, kind: 'node', server: 'node', application: choice.file },
    node: { nodeArgs, args, env: environment },
  });
}

// Private

function found(project: Project): NodeFinding {
  return { project, lookedFor: [] };
}

async function choose(
  root: string,
  manifest: NodePackage | undefined,
  usual: readonly string[],
): Promise<Choice | undefined> {
  const script = manifest && readProductionScript(manifest);
  if (script !== undefined && !script.isForDevelopment) return chooseScript(root, script);
  const notes = script && [describeLeftOut(script)];
  const framework = manifest && findFramework(manifest);
  if (framework === undefined) {
    const carried = await findCarriedServer(root);
    if (carried !== undefined)
      return { file: carried.file, facts: { ...plainNode, env: carried.env ?? {} }, notes };
  }
  const path =
    (framework && (await findBuiltServer(root, framework))) ??
    (manifest?.main === undefined ? undefined : await findModule(resolve(root, manifest.main))) ??
    (manifest === undefined ? undefined : await findFirst(root, usual));
  return path === undefined ? undefined : { file: path, notes };
}

async function chooseScript(root: string, script: ProductionScript): Promise<Choice> {
  const { command, text } = script;
  if (command !== undefined) {
    const { leftOut, build } = command;
    const notes = [
      ...(leftOut === undefined ? [] : [describeWatcher(script, leftOut)]),
      ...(build === undefined ? [] : [describeBuild(script, build)]),
    ];
    return { file: await findStarted(root, command, script), facts: command, notes };
  }
  return isNextStart(text) ? chooseNext(root, text) : { command: text };
}

function isNextStart(text: string): boolean {
  return /^(?:\w+=\S* )*(?:npx )?next start\b/.test(text);
}

/**
 * A build with `output: "standalone"` has a server of its own, which needs the files for browsers beside it; inside of that folder
 * `next start` is named too, and not there (Next.js, "output").
 */
async function chooseNext(root: string, text: string): Promise<Choice> {
  const inside = join(root, 'server.js');
  const isInside = (await isFile(inside)) && (await isFolder(join(root, '.next')));
  if (isInside && !(await hasNextCommand(root))) return { file: inside };
  const server = join(root, '.next/standalone/server.js');
  if (!(await isFile(server))) return { command: text };
  if (await isFolder(join(root, '.next/standalone/.next/static'))) return { file: server };
  const copy = 'cp -r .next/static .next/standalone/.next/ && cp -r public .next/standalone/';
  return {
    command: text,
    notes: [`.next/standalone is not used, because the files for browsers are missing in it: ${copy}`],
  };
}

/** A standalone folder has packages of its own, without their commands; it may lie in a project that has them. */
async function hasNextCommand(root: string): Promise<boolean> {
  const own = join(root, 'node_modules');
  return (await isFolder(join(own, 'next')))
    ? exists(join(own, '.bin/next'))
    : isInstalled(root, '.bin/next');
}

function describeWatcher({ name, text }: ProductionScript, leftOut: string): string {
  return `scripts.${name} in package.json (${text}) is for development: its file is run without ${leftOut}.`;
}

function describeBuild({ name, text }: ProductionScript, build: string): string {
  return `scripts.${name} in package.json (${text}) builds first: what is built is run as it is. Before each start and reload: ${typedBuild(build)}`;
}

/** A script finds the programs of the project by their names, a person's shell does not. */
function typedBuild(build: string): string {
  const steps = build.split(' && ');
  return steps.map((step) => (/^(?:npm|npx|pnpm|yarn|bun) /.test(step) ? step : `npx ${step}`)).join(' && ');
}

function describeLeftOut({ name, text }: ProductionScript): string {
  return `scripts.${name} in package.json (${text}) is for development, and is left out.`;
}

function explainNothing(manifest: NodePackage | undefined): string[] {
  const script = manifest && readProductionScript(manifest);
  if (manifest === undefined) return [];
  if (script === undefined) return ['package.json is there, but names nothing to start'];
  return [`package.json is there, but its start script (${script.text}) is a server for development`];
}

async function findNamed(root: string, file: string): Promise<string> {
  const path = resolve(root, file);
  if (await isFile(path)) return path;
  throw new ApplicationError(
    'application-file-missing',
    `There is no file ${path}, which the setting app names.`,
  );
}

async function findStarted(
  root: string,
  { file, build }: NodeCommand,
  { name }: ProductionScript,
): Promise<string> {
  const path = await findModule(resolve(root, file));
  if (path !== undefined) return path;
  const manifest = await readPackage(root);
  const isScript = manifest?.scripts.build !== undefined;
  const line = isScript ? `${await findPackageTool(root)} run build` : build && typedBuild(build);
  throw new ApplicationError(
    'application-file-missing',
    `There is no file ${resolve(root, file)}, which the ${name} script in package.json names.`,
    { hint: line },
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

function checkLanguage(
  path: string,
  nodeArgs: readonly string[],
  { version, stripsTypes }: NodeAbilities,
): void {
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

async function listWarnings(root: string, { hasDependencies }: NodePackage): Promise<string[]> {
  if (!hasDependencies || (await isInstalled(root))) return [];
  return [
    `The packages of ${join(root, 'package.json')} are not installed: ${await findPackageTool(root)} install`,
  ];
}
