import { Command as Commander, CommanderError, InvalidArgumentError, Option } from 'commander';
import { EasyserveError, ExitCode } from '../contracts/errors.js';
import type { SettingFlag } from '../settings/flag-layer.js';
import type { Command } from './command.js';
import type { ProjectArgument } from './project-argument.js';

/**
 * The grammar of the command line, and the only import of commander. Called by cli/main and by unit tests.
 *
 * Only says what was asked for: nothing is read, started or printed here.
 * Throws EasyserveError `usage` for what it does not understand.
 */
export function parseCommandLine(argv: readonly string[], version: string): Command {
  let command: Command | undefined;
  let printed = '';
  const program = new Commander('easyserve')
    .description('Puts the web application in a folder into production.')
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .helpCommand(false)
    .option('-C <dir>', 'act as if the command had been typed in that folder')
    .configureOutput({
      writeOut: (text) => {
        printed += text;
      },
      writeErr: (text) => {
        printed += text;
      },
    })
    .exitOverride()
    .addHelpText('after', `\n${afterword}`);
  const projectOf = (dir: string | undefined): ProjectArgument => ({
    base: program.opts<{ C?: string }>().C,
    dir,
  });
  addVerbs(program, projectOf, (parsed) => {
    command = parsed;
  });
  try {
    program.parse([...argv], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return toPrintCommand(error, printed, helpFor(program, argv));
  }
  if (command === undefined) throw new Error('commander called no verb');
  return command;
}

const afterword = `Examples:
  easyserve start                     serve the project in this folder
  easyserve start --processes auto    as many processes as the machine has use for
  easyserve reload                    bring in new code, without losing a request
  easyserve status                    what runs, and how it is doing

\`easyserve start --help\` tells the options of a command. Every setting can be given
with --set; \`easyserve config\` lists them.`;

type Take = (command: Command) => void;
type ProjectOf = (dir: string | undefined) => ProjectArgument;

function addVerbs(program: Commander, projectOf: ProjectOf, take: Take): void {
  addStart(program, projectOf, take);
  verb(program, 'stop', 'finish the requests in flight, then end').action((dir) => {
    take({ verb: 'stop', project: projectOf(dir) });
  });
  verb(program, 'reload', 'bring in new code and settings, without losing a request').action((dir) => {
    take({ verb: 'reload', project: projectOf(dir) });
  });
  verb(program, 'restart', 'end and start anew, keeping the address').action((dir) => {
    take({ verb: 'restart', project: projectOf(dir) });
  });
  verb(program, 'status', 'show what runs')
    .option('--json', 'as JSON (docs/status.md)')
    .action((dir, options) => {
      take({ verb: 'status', project: projectOf(dir), asJson: options.json === true });
    });
  addScale(program, projectOf, take);
  addLogs(program, projectOf, take);
  addConfig(program, projectOf, take);
  addCheck(program, projectOf, take);
  addInstall(program, projectOf, take);
}

function addStart(program: Commander, projectOf: ProjectOf, take: Take): void {
  const start = verb(program, 'start', 'serve the project, until it is stopped');
  const flags = addSettingFlags(start);
  start
    .option('--daemon', 'go to the background once it serves')
    .addOption(new Option('--ready-fd <fd>').argParser(toWholeNumber(0)).hideHelp())
    .action((dir, options) => {
      const { config: configFile, daemon, readyFd } = options;
      take({ verb: 'start', project: projectOf(dir), configFile, flags, isDaemon: daemon === true, readyFd });
    });
}

function addScale(program: Commander, projectOf: ProjectOf, take: Take): void {
  program
    .command('scale')
    .description('change the number of application processes, until the next restart')
    .argument('<processes>', 'how many', toWholeNumber(1))
    .argument('[dir]', dirHelp)
    .action((processes: number, dir?: string) => {
      take({ verb: 'scale', project: projectOf(dir), processes });
    });
}

function addLogs(program: Commander, projectOf: ProjectOf, take: Take): void {
  verb(program, 'logs', 'print the latest log lines')
    .option('-f, --follow', 'go on with what is logged from now on, until Ctrl-C')
    .option('-n, --lines <count>', 'how many of the latest lines', toWholeNumber(0), 100)
    .action((dir, options) => {
      take({ verb: 'logs', project: projectOf(dir), follow: options.follow === true, lines: options.lines });
    });
}

function addConfig(program: Commander, projectOf: ProjectOf, take: Take): void {
  const config = verb(program, 'config', 'print each setting with where it came from');
  const flags = addSettingFlags(config);
  config.option('--json', 'as JSON').action((dir, options) => {
    take({
      verb: 'config',
      project: projectOf(dir),
      configFile: options.config,
      flags,
      asJson: options.json === true,
    });
  });
}

function addCheck(program: Commander, projectOf: ProjectOf, take: Take): void {
  const check = verb(program, 'check', 'find what would keep the project from being served; starts nothing');
  const flags = addSettingFlags(check);
  check.action((dir, options) => {
    take({ verb: 'check', project: projectOf(dir), configFile: options.config, flags });
  });
}

function addInstall(program: Commander, projectOf: ProjectOf, take: Take): void {
  const install = verb(
    program,
    'install',
    'write a systemd service for the project, so that it starts at boot',
  );
  const flags = addSettingFlags(install, [...settingFlags, userFlag]);
  const writable: string[] = [];
  install
    .option('--name <name>', nameHelp)
    .option('--socket', 'let systemd bind the ports (socket activation)')
    .addOption(
      new Option('--writable <folder>', 'a folder that the application writes to; may be repeated').argParser(
        (folder: string) => void writable.push(folder),
      ),
    )
    .option('--print', 'print the units, and change nothing')
    .action((dir, { config: configFile, name, socket, print }) => {
      const given = { project: projectOf(dir), configFile, flags, name, writable };
      take({ verb: 'install', ...given, hasSockets: socket === true, isPrinted: print === true });
    });
  verb(program, 'uninstall', 'stop the systemd service, and remove it')
    .option('--name <name>', nameHelp)
    .action((dir, { name }) => {
      take({ verb: 'uninstall', project: projectOf(dir), name });
    });
}

const nameHelp = "name of the service (default: easyserve- and the folder's name)";
const dirHelp = "the project's folder (default: the current one)";

/** Options as commander gives them to an action, of every verb together. */
interface Options {
  readonly json?: boolean;
  readonly daemon?: boolean;
  readonly readyFd?: number;
  readonly follow?: boolean;
  readonly lines: number;
  readonly config?: string;
  readonly name?: string;
  readonly socket?: boolean;
  readonly print?: boolean;
}

interface Verb {
  option(flags: string, description: string): Verb;
  option<T>(flags: string, description: string, parse: (value: string) => T, value: T): Verb;
  addOption(option: Option): Verb;
  action(run: (dir: string | undefined, options: Options) => void): unknown;
}

function verb(program: Commander, name: string, description: string): Verb {
  return program.command(name).description(description).argument('[dir]', dirHelp);
}

/** The settings that have flags of their own, and --set for all others. Filled while the command line is parsed. */
function addSettingFlags(command: Verb, named: readonly NamedFlag[] = settingFlags): readonly SettingFlag[] {
  const given: SettingFlag[] = [];
  for (const [flag, value, key, help] of named) {
    const parse = (text: string): void => {
      // As a flag that is given several times --domain says one name each time.
      const earlier = key === 'domains' ? given.findLast((each) => each.key === key) : undefined;
      given.push({ key, value: earlier === undefined ? text : `${earlier.value},${text}`, flag });
    };
    const option =
      value === '' ? new Option(flag, help).preset('true') : new Option(`${flag} <${value}>`, help);
    command.addOption(option.argParser(parse));
  }
  const parseSet = (text: string): void => {
    given.push(toSettingFlag(text));
  };
  command.addOption(new Option('--set <key=value>', 'any setting; may be repeated').argParser(parseSet));
  command.option('--config <file>', 'settings file (default: easyserve.toml, .yaml or .json in the project)');
  return given;
}

/** Flag, value ('' for one that is on by being there), setting, help. */
type NamedFlag = readonly [string, string, SettingFlag['key'], string];

const userFlag: NamedFlag = [
  '--user',
  'name',
  'user',
  'user of the service (default: the owner of the folder)',
];

const settingFlags: readonly NamedFlag[] = [
  ['--domain', 'name', 'domains', 'host name to get a certificate for; may be repeated'],
  ['--https', '', 'https', 'serve HTTPS; without a domain, with a certificate for development'],
  ['--host', 'address', 'host', 'address to listen on'],
  ['--port', 'number', 'port', 'port to listen on; 0: any free one'],
  ['--processes', 'count|auto', 'processes', 'application processes'],
  ['--threads', 'count|auto', 'threads', 'threads of each application process'],
  ['--fronts', 'count|auto', 'fronts', 'HTTP fronts of cluster mode'],
  ['--log-format', 'pretty|json', 'logFormat', 'for people or for programs'],
];

function toSettingFlag(text: string): SettingFlag {
  const mark = text.indexOf('=');
  if (mark < 1) throw new InvalidArgumentError('Write it as key=value.');
  const key = text.slice(0, mark);
  return { key, value: text.slice(mark + 1), flag: `--set ${key}` };
}

function toWholeNumber(least: number): (text: string) => number {
  return (text) => {
    const number = /^\d{1,9}$/.test(text) ? Number(text) : -1;
    if (number < least) throw new InvalidArgumentError(`It has to be a whole number from ${least} on.`);
    return number;
  };
}

/** commander reports help and version as errors too. */
function toPrintCommand(error: CommanderError, printed: string, help: string): Command {
  if (error.exitCode === 0) return { verb: 'print', text: printed, to: 'stdout', exitCode: ExitCode.ok };
  if (error.code === 'commander.help') {
    return { verb: 'print', text: printed, to: 'stderr', exitCode: ExitCode.usage };
  }
  // "error: unknown command 'strat'\n(Did you mean start?)"
  const [sentence = '', suggestion] = error.message.replace(/^error: /, '').split('\n');
  throw new EasyserveError('usage', ExitCode.usage, sentence, {
    hint: suggestion?.replace(/^\(Did you mean (.*)\)$/, 'did you mean $1') ?? help,
  });
}

function helpFor(program: Commander, argv: readonly string[]): string {
  const named = program.commands.map((command) => command.name()).find((name) => argv.includes(name));
  return named === undefined ? '`easyserve --help`' : `\`easyserve ${named} --help\``;
}
