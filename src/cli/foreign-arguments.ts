import { bind, foreignFlags } from './foreign-flags.js';
import { translateVerb } from './foreign-verbs.js';
import { translateSetting } from './setting-words.js';
import { quote } from './text/typed-command.js';

/** Whether the verb has that flag itself. */
export type HasFlag = (verb: string, flag: string) => boolean;

const hasNone: HasFlag = () => false;

/**
 * What people type who know gunicorn, uvicorn, pm2, systemctl or Django's runserver, in easyserve's words: `start`, `--processes 4`.
 * Undefined where nothing of it is of another program, or a flag lacks its value.
 */
export function translateArguments(
  argv: readonly string[],
  hasFlag: HasFlag = hasNone,
): readonly string[] | undefined {
  const [verb = '', ...rest] = withVerb(argv);
  const words: string[] = [];
  let isForeign = verb !== argv[0];
  for (let index = 0; index < rest.length; index++) {
    const word = rest[index] ?? '';
    const { name, value: attached } = splitFlag(word);
    const isOwn = hasFlag(verb, name) && !isProgramFile(name, rest[index + 1]);
    const asSetting = hasFlag(verb, '--set') ? translateSetting(name) : undefined;
    const translate = isOwn ? undefined : (flagOf(name) ?? asSetting);
    if (translate === undefined) {
      const meant = isValue(rest[index - 1], hasFlag, verb) ? undefined : readOperand(word);
      isForeign ||= meant !== undefined;
      words.push(...(meant ?? [word]));
      continue;
    }
    isForeign = true;
    const value = attached ?? (translate.length > 0 ? rest[++index] : '');
    if (value === undefined) return undefined;
    words.push(...translate(value));
  }
  return isForeign ? [verb, ...words] : undefined;
}

// Private

function flagOf(name: string): (typeof foreignFlags)[string] | undefined {
  return Object.hasOwn(foreignFlags, name) ? foreignFlags[name] : undefined;
}

/** `--config gunicorn.conf.py` names no settings of easyserve. */
function isProgramFile(name: string, value = ''): boolean {
  return name === '--config' && value.endsWith('.py');
}

/** The words with the verb first; an application, an address or a flag without any is for `start`. */
function withVerb(argv: readonly string[]): readonly string[] {
  const [first = '', ...rest] = argv;
  const verb = translateVerb(first);
  if (verb !== undefined) return [verb, ...rest];
  const isForStart = flagOf(splitFlag(first).name) !== undefined || readOperand(first) !== undefined;
  return isForStart ? ['start', ...argv] : argv;
}

function splitFlag(word: string): { readonly name: string; readonly value: string | undefined } {
  const [, name = word, value] = /^(--[\w-]+)=(.*)$/s.exec(word) ?? [];
  return { name, value };
}

/** Whether the word behind `before` is its value. */
function isValue(before = '', hasFlag: HasFlag, verb: string): boolean {
  if (!before.startsWith('-') || before.includes('=')) return false;
  return hasFlag(verb, before) || flagOf(before) === undefined;
}

/**
 * What is given in place of a folder: `shop.wsgi:application`, gunicorn's `shop.wsgi`, a file of Node.js, or an address, as runserver has it.
 */
function readOperand(word: string): readonly string[] | undefined {
  if (/^[A-Za-z_][\w.]*:[A-Za-z_][\w.]*(\(\))?$/.test(word)) return [`--set app=${quote(word)}`];
  if (/^[A-Za-z_][\w.]*\.(?:wsgi|asgi)$/.test(word)) return [`--set app=${word}:application`];
  if (/^[\w./-]+\.[cm]?[jt]s$/.test(word)) return [`--set app=${word}`];
  return /^(?:[\w.-]+|\[[\da-f:]+\]|\*)?:\d{1,5}$|^\d{2,5}$/.test(word) ? bind(word) : undefined;
}
