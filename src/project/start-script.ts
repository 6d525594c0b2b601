import type { NodeFacts } from '../contracts/project-facts.js';

/** `NODE_ENV=production node --enable-source-maps server.js --verbose`, taken apart. */
export interface NodeCommand extends NodeFacts {
  /** As it stands there, relative to the package. */
  readonly file: string;
}

/** Only a shell knows what these mean; outside of quotes, and `$`, backquote and backslash inside of double ones. */
const shellCharacters = /[&|;<>()$`\\*?#~!{}[\]\n]/;
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
]);
/** With these Node runs no file, or not only that. */
const otherModes =
  /^(-e|--eval|-p|--print|-c|--check|-i|--interactive|--test|--run|--watch|--watch-path)(=|$)/;

/**
 * Reads a start script that does nothing but run a file with Node.js; undefined for any other, which is left to the shell.
 */
export function readNodeCommand(script: string): NodeCommand | undefined {
  const words = splitWords(script);
  if (words === undefined) return undefined;
  if (words[0] === 'cross-env') words.shift(); // sets variables on Windows too, and nothing else
  const env = takeVariables(words);
  if (words.shift() !== 'node') return undefined;
  const nodeArgs = takeFlags(words);
  const file = words.shift();
  if (nodeArgs === undefined || file === undefined) return undefined;
  return { env, nodeArgs, file, args: words };
}

// Private

/** Like the shell, but of its syntax only quotes; undefined where there is more. */
function splitWords(script: string): string[] | undefined {
  const words: string[] = [];
  let rest = script.trim();
  while (rest !== '') {
    let word = '';
    while (rest !== '' && !/^\s/.test(rest)) {
      const [piece, single, double, plain] = /^(?:'([^']*)'|"([^"$`\\]*)"|([^\s'"]+))/.exec(rest) ?? [];
      if (piece === undefined || (plain !== undefined && shellCharacters.test(plain))) return undefined;
      word += single ?? double ?? plain;
      rest = rest.slice(piece.length);
    }
    words.push(word);
    rest = rest.trimStart();
  }
  return words;
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
    flags.push(flag);
    const value = flagsWithValue.has(flag) ? words.shift() : undefined;
    if (value !== undefined) flags.push(value);
  }
  return flags;
}
