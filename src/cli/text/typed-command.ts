import { accessSync, constants, existsSync } from 'node:fs';
import { basename, delimiter, dirname, join, relative } from 'node:path';
import type { CliContext } from '../cli-context.js';
import { projectFolder } from '../project-argument.js';

/** What an argument may hold without quotes in every shell. */
const needsNoQuotes = /^[\w./@%+=:,-]+$/;

type TypingContext = Pick<CliContext, 'cwd' | 'env' | 'exec'>;

/**
 * How a person types a further command for the same project: `easyserve reload`, or where this one was started by a path
 * or for another folder, `/opt/easyserve/bin/easyserve.js reload sites/shop`.
 */
export function typedCommand(verb: string, projectDir: string, context: TypingContext): string {
  const here = projectFolder({ base: undefined, dir: undefined }, context);
  const program = typedProgram(here, context);
  return here === projectDir
    ? `${program} ${verb}`
    : `${program} ${verb} ${quote(shortestPath(here, projectDir))}`;
}

// Private

/**
 * Never npx with the bare name: that name on the npm registry is another program. npm says in npm_lifecycle_event that
 * npx runs it (npm doc, "scripts", Environment).
 */
function typedProgram(here: string, { env, exec: { script } }: TypingContext): string {
  if (env.npm_lifecycle_event === 'npx') return 'npx @easyserve/cli';
  // On Windows a .cmd file stands on PATH, which starts the script by its path.
  if (process.platform === 'win32' || script === findOnPath(env.PATH)) return 'easyserve';
  const path = shortestPath(here, script);
  const typed = quote(path.includes('/') ? path : `./${path}`);
  return isExecutable(script) ? typed : `node ${typed}`;
}

/** In a shell; npm puts the folders of a project's own programs in front while it runs a script. */
function findOnPath(path = ''): string | undefined {
  return path
    .split(delimiter)
    .filter((folder) => basename(folder) !== '.bin' || basename(dirname(folder)) !== 'node_modules')
    .map((folder) => join(folder, 'easyserve'))
    .find((file) => existsSync(file));
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Up and down again is longer than the path itself, and harder to read. */
function shortestPath(from: string, to: string): string {
  const path = relative(from, to);
  return path.startsWith('..') ? to : path;
}

/** As a shell takes it. */
export function quote(text: string): string {
  return needsNoQuotes.test(text) ? text : `'${text.replace(/'/g, `'\\''`)}'`;
}
