import type { NodeFacts } from '../contracts/project-facts.js';
import { splitWords } from './split-words.js';

/** `NODE_ENV=production node --enable-source-maps server.js --verbose`, taken apart. */
export interface NodeCommand extends NodeFacts {
  /** As it stands there, relative to the package. */
  readonly file: string;
  /** What it has for a developer, and is left out: `nodemon`, which starts anew at each change of a file. */
  readonly leftOut?: string;
  /** What makes the file first, and is left out too: `tsc`. */
  readonly build?: string;
}

/** Flags of Node.js whose value is a word of its own (node --help). */
const flagsWithValue = new Set([
  '-r',
  '--require',
  '--import',
  '--loader',
  '--experimental-loader',
  '-C',
  '--conditions',
  '--env-file',
  '--env-file-if-exists',
  '--title',
  '--watch-path',
]);
/** Of nodemon (nodemon --help options). */
const nodemonFlagsWithValue = /^(-w|--watch|-e|--ext|-i|--ignore|-d|--delay|-s|--signal|--cwd)$/;
/** With these Node runs no file, or not only that. */
const otherModes = /^(-e|--eval|-p|--print|-c|--check|-i|--interactive|--test|--run)(=|$)/;
/** Of tsx and ts-node themselves: Node.js does not know them. */
const compilerFlags =
  /^(--tsconfig|--no-cache|--clear-screen|-P|--project|-T|--transpile-?only|--esm|--swc|--files|--cwd|--script-mode|-[OISDH])(=|$)/;
const watching = /^--watch(?:-path|-preserve-output)?(?:=|$)/;

/** Programs that run a file by Node.js with a compiler, and the flags by which Node.js has the same compiler (their documentation). */
const compilers: Readonly<Record<string, readonly string[]>> = {
  node: [],
  tsx: ['--import', 'tsx'],
  'ts-node': ['--require', 'ts-node/register'],
};
/** Run the file again at each change: tsx has that as a word, the others are programs for it. */
const watchers: Readonly<Record<string, string>> = { 'ts-node-dev': 'ts-node', tsnd: 'ts-node' };

/** What only makes files that are run: left out, because each process would do it again, under those that run. */
const builds =
  /^(?:(?:npm|pnpm|yarn|bun)(?: run)? (?:build|compile|clean|prebuild)(?::[\w:-]+)?|(?:npx )?(?:tsc|tsc-alias|tsup|tsdown|rimraf|esbuild|swc|babel|webpack|rollup|vite build|astro build|nuxt build|nuxi build|next build|nest build|prisma generate)(?: (?!--?w(?:atch)?\b)[^\s]+)*)$/;

/**
 * Reads a start script that does nothing but run a file with Node.js, be it through a compiler or through a program that watches
 * the files; undefined for any other, which is left to the shell.
 */
export function readNodeCommand(script: string): NodeCommand | undefined {
  const steps = script.trim().split(/\s+&&\s+/);
  const last = steps.pop() ?? '';
  if (!steps.every((step) => builds.test(step))) return undefined;
  const command = readLastStep(last);
  return command && steps.length > 0 ? { ...command, build: steps.join(' && ') } : command;
}

// Private

function readLastStep(script: string): NodeCommand | undefined {
  const words = splitWords(script);
  if (words === undefined) return undefined;
  if (words[0] === 'cross-env') words.shift(); // sets variables on Windows too, and nothing else
  const env = takeVariables(words);
  if (words[0] === 'npx') words.shift();
  const command = words[0] === 'nodemon' ? readNodemon(words.slice(1)) : readProgram(words);
  return command && { ...command, env: { ...env, ...command.env } };
}

function readProgram(words: readonly string[]): NodeCommand | undefined {
  const [program = '', ...rest] = words;
  const watcher = watchers[program];
  const compiler = compilers[watcher ?? program];
  if (compiler === undefined) return undefined;
  const isWatch = program === 'tsx' && rest[0] === 'watch';
  if (isWatch) rest.shift();
  const flags = watcher === undefined ? takeFlags(rest) : dropFlags(rest);
  const file = rest.shift();
  if (flags === undefined || file === undefined) return undefined;
  if (flags.some((flag) => compilerFlags.test(flag))) return undefined;
  const kept = flags.filter((flag) => !watching.test(flag));
  const command = { env: {}, nodeArgs: [...compiler, ...kept], file, args: rest };
  if (watcher !== undefined) return { ...command, leftOut: program };
  if (isWatch) return { ...command, leftOut: 'tsx watch' };
  return kept.length === flags.length ? command : { ...command, leftOut: '--watch' };
}

/** nodemon runs a TypeScript file by ts-node, and any other by Node.js, or what `--exec` names. */
function readNodemon(words: string[]): NodeCommand | undefined {
  let program: string[] | undefined;
  while (words[0]?.startsWith('-')) {
    const flag = words.shift() as string;
    if (/^(-x|--exec)$/.test(flag)) program = splitWords(words.shift() ?? '');
    else if (nodemonFlagsWithValue.test(flag)) words.shift();
  }
  program ??= [/\.[cm]?ts$/.test(words[0] ?? '') ? 'ts-node' : 'node'];
  if (program[0] === 'npx') program.shift();
  const command = readProgram([...program, ...words]);
  return command && { ...command, leftOut: 'nodemon' };
}

function takeVariables(words: string[]): Record<string, string> {
  const env: Record<string, string> = {};
  for (;;) {
    const [, name, value] = /^([A-Za-z_]\w*)=(.*)$/s.exec(words[0] ?? '') ?? [];
    if (name === undefined || value === undefined) return env;
    env[name] = value;
    words.shift();
  }
}

function takeFlags(words: string[]): string[] | undefined {
  const flags: string[] = [];
  while (words[0]?.startsWith('-')) {
    const flag = words.shift() as string;
    if (flag === '--') return flags;
    if (flag === '-' || otherModes.test(flag)) return undefined;
    const value = flagsWithValue.has(flag) ? words.shift() : undefined;
    flags.push(flag, ...(value === undefined || watching.test(flag) ? [] : [value]));
  }
  return flags;
}

/** Flags of ts-node-dev, which all are about watching and speed. Those with a word as value are `--name=value` in its documentation. */
function dropFlags(words: string[]): string[] {
  while (words[0]?.startsWith('-')) words.shift();
  return [];
}
