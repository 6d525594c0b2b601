import { EasyserveError, ExitCode } from '../contracts/errors.js';
import { splitWords } from '../project/split-words.js';
import type { Command } from './command.js';
import { type HasFlag, translateArguments } from './foreign-arguments.js';
import { CommanderError, type Grammar, makeGrammar } from './grammar.js';

/**
 * What a command line asks for.
 *
 * Nothing is read, started or printed here. Throws EasyserveError `usage` for what it does not understand, with the line that was meant
 * where that is known.
 */
export function parseCommandLine(typed: readonly string[], version: string): Command {
  const argv = withUsualWords(typed);
  try {
    return parse(argv, version);
  } catch (error) {
    if (!(error instanceof Misunderstood)) throw error;
    const { message, suggestion, program } = error;
    const meant = translateArguments(argv, hasFlagOf(program));
    // What is advised has to be understood as it stands.
    const line =
      meant && isUnderstood(meant.flatMap((word) => splitWords(word) ?? [word])) ? meant : undefined;
    const hint = line && ['easyserve', ...line].join(' ');
    throw new EasyserveError('usage', ExitCode.usage, message, {
      hint: hint ?? suggestion ?? helpFor(program, argv),
    });
  }
}

// Private

class Misunderstood extends Error {
  readonly suggestion: string | undefined;
  readonly program: Grammar;

  constructor(sentence: string, suggestion: string | undefined, program: Grammar) {
    super(sentence);
    this.suggestion = suggestion;
    this.program = program;
  }
}

/** Throws Misunderstood. */
function parse(argv: readonly string[], version: string): Command {
  let command: Command | undefined;
  let printed = '';
  const program = makeGrammar(
    version,
    (parsed) => {
      command = parsed;
    },
    (text) => {
      printed += text;
    },
  );
  try {
    program.parse(withoutHelpForNothing(argv, program), { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return toPrintCommand(error, printed, program);
  }
  if (command === undefined) throw new Error('commander called no verb');
  return command;
}

/** `help`, `help reload`, `version` and `-v`, as other programs have them. */
function withUsualWords(argv: readonly string[]): readonly string[] {
  const [first, ...rest] = argv;
  if (first === 'help') return [...rest, '--help'];
  return first === 'version' || first === '-v' ? ['--version', ...rest] : argv;
}

/** commander reports help and version as errors too. */
function toPrintCommand(error: CommanderError, printed: string, program: Grammar): Command {
  if (error.exitCode === 0) return { verb: 'print', text: printed, to: 'stdout', exitCode: ExitCode.ok };
  if (error.code === 'commander.help') {
    return { verb: 'print', text: printed, to: 'stderr', exitCode: ExitCode.usage };
  }
  // "error: unknown command 'strat'\n(Did you mean start?)"
  const [sentence = '', suggestion] = error.message.replace(/^error: /, '').split('\n');
  throw new Misunderstood(
    sentence,
    suggestion?.replace(/^\(Did you mean (.*)\)$/, 'did you mean $1'),
    program,
  );
}

function isUnderstood(argv: readonly string[]): boolean {
  try {
    parse(argv, '');
    return true;
  } catch (error) {
    if (error instanceof Misunderstood) return false;
    throw error;
  }
}

function hasFlagOf(program: Grammar): HasFlag {
  return (verb, flag) =>
    commandOf(program, verb)?.options.some(({ short, long }) => short === flag || long === flag) ?? false;
}

/** With --help commander prints that of the program for a verb that there is not. */
function withoutHelpForNothing(argv: readonly string[], program: Grammar): string[] {
  const [first = '-'] = argv;
  const isVerb = first.startsWith('-') || commandOf(program, first) !== undefined;
  return isVerb ? [...argv] : argv.filter((word) => word !== '--help' && word !== '-h');
}

function commandOf(program: Grammar, verb: string): Grammar | undefined {
  return program.commands.find((command) => command.name() === verb);
}

function helpFor(program: Grammar, argv: readonly string[]): string {
  const named = program.commands.map((command) => command.name()).find((name) => argv.includes(name));
  return named === undefined ? '`easyserve --help`' : `\`easyserve ${named} --help\``;
}
