import { dirname, join } from 'node:path';
import { ApplicationError } from '../contracts/errors.js';
import { readTextFile } from '../contracts/read-file.js';
import { exists } from './path-checks.js';

/** What a package.json says that matters for running it. */
export interface NodePackage {
  readonly main: string | undefined;
  readonly scripts: Readonly<Record<string, string>>;
  /** Names, those for development too: what builds a site usually stands there. */
  readonly packages: ReadonlySet<string>;
  /** Packages are needed where it runs. */
  readonly hasDependencies: boolean;
}

const lockFiles = [
  ['pnpm-lock.yaml', 'pnpm'],
  ['yarn.lock', 'yarn'],
  ['bun.lock', 'bun'],
  ['bun.lockb', 'bun'],
] as const;

/** Undefined where there is no package.json. Throws ApplicationError `package-unreadable` and `package-syntax`. */
export async function readPackage(root: string): Promise<NodePackage | undefined> {
  const path = join(root, 'package.json');
  const text = await readTextFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
    throw new ApplicationError('package-unreadable', `${path} can't be read: ${error.message}.`);
  });
  if (text === undefined) return undefined;
  const content = parseObject(text, path);
  const dependencies = Object.keys(toObject(content.dependencies));
  return {
    main: toText(content.main),
    scripts: readScripts(toObject(content.scripts)),
    packages: new Set([...dependencies, ...Object.keys(toObject(content.devDependencies))]),
    hasDependencies: dependencies.length > 0,
  };
}

/** The tool by which the project installs and builds, as its lock file tells: `pnpm`. */
export async function findPackageTool(root: string): Promise<string> {
  for (const [file, tool] of lockFiles) if (await exists(join(root, file))) return tool;
  return 'npm';
}

/** Whether `path` is in a node_modules of the folder or, as in a workspace, of one above. */
export async function isInstalled(folder: string, path = ''): Promise<boolean> {
  const parent = dirname(folder);
  return (
    (await exists(join(folder, 'node_modules', path))) || (parent !== folder && isInstalled(parent, path))
  );
}

// Private

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

function readScripts(content: Record<string, unknown>): Record<string, string> {
  const scripts: Record<string, string> = {};
  for (const [name, value] of Object.entries(content)) {
    const text = toText(value);
    if (text !== undefined) scripts[name] = text;
  }
  return scripts;
}

function toObject(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function toText(value: unknown): string | undefined {
  return typeof value === 'string' && value.trim() !== '' ? value : undefined;
}
