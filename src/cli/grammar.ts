import { Command as Commander, CommanderError, InvalidArgumentError, Option } from 'commander';
import type { SettingFlag } from '../settings/flag-layer.js';
import type { Command, ProjectArgument } from './command.js';
import { type NamedFlag, settingFlags, userFlag } from './setting-flags.js';

export type Grammar = Commander;
/** What is thrown in place of calling a verb: for help and the version too. */
export { CommanderError };

/**
 * The verbs, arguments and flags of the command line, and the only import of commander; `take` is told what a line asks for, `print` what commander would print.
 */
export function makeGrammar(
  version: string,
  take: (command: Command) => void,
  print: (text: string) => void,
): Grammar {
  const program = new Commander('easyserve')
    .description('Puts the web application in a folder into production.')
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .helpCommand(false)
    .option('-C <dir>', 'act as if the command had been typed in that folder')
    .configureOutput({ writeOut: print, writeErr: print })
    .exitOverride()
    .addHelpText('after', `\n${afterword}`);
  addVerbs(program, take);
  return program;
}

// Private

const afterword = `Examples:
  easyserve start                     serve the project in this folder
  easyserve start --processes auto    as many processes as the machine has use for
  easyserve reload                    bring in new code, without losing a request
  easyserve status                    what runs, and how it is doing

\`easyserve start --help\` tells the options of a command. Every setting can be given
with --set; \`easyserve config\` lists them.`;

/** Options as commander gives them to an action, of every verb together. */
interface Options {
  readonly json?: boolean;
  readonly strict?: boolean;
  readonly daemon?: boolean;
  readonly readyFd?: number;
  readonly follow?: boolean;
  readonly lines: number;
  readonly config?: string;
  readonly name?: string;
  readonly socket?: boolean;
  readonly print?: boolean;
  readonly user?: string;
  readonly envFile?: string;
  readonly saveEnv?: string;
  readonly withoutEnv?: boolean;
}

type MakeCommand = (project: ProjectArgument, options: Options) => Command;
/** Adds a verb to the program; its options can still be added to what it returns. */
type AddVerb = (name: string, description: string, make: MakeCommand) => Commander;

function addVerbs(program: Commander, take: (command: Command) => void): void {
  const projectOf = (dir: string | undefined): ProjectArgument => ({ base: program.opts().C, dir });
  const verb: AddVerb = (name, description, make) =>
    program
      .command(name)
      .description(description)
      .argument('[dir]', dirHelp)
      .action((dir: string | undefined, options: Options) => take(make(projectOf(dir), options)));
  addStart(verb);
  verb('stop', 'finish the requests in flight, then end', (project) => ({ verb: 'stop', project }));
  const reload = 'bring in new code and settings, without losing a request';
  verb('reload', reload, (project) => ({ verb: 'reload', project }));
  verb('restart', 'end and start anew, keeping the address', (project) => ({ verb: 'restart', project }));
  verb('status', 'show what runs', (project, { json = false }) => ({
    verb: 'status',
    project,
    asJson: json,
  })).option('--json', 'as JSON (docs/status.md)');
  program
    .command('scale')
    .description('change the number of application processes, until the next restart')
    .argument('<processes>', 'how many', toWholeNumber(1))
    .argument('[dir]', dirHelp)
    .action((processes: number, dir?: string) => take({ verb: 'scale', project: projectOf(dir), processes }));
  verb('logs', 'print the latest log lines', (project, { follow = false, lines }) => ({
    verb: 'logs',
    project,
    follow,
    lines,
  }))
    .option('-f, --follow', 'go on with what is logged from now on, until Ctrl-C')
    .option('-n, --lines <count>', 'how many of the latest lines', toWholeNumber(0), 100);
  addLookingVerbs(verb);
  addInstall(verb);
  addAdopt(verb);
}

function addStart(verb: AddVerb): void {
  const flags: SettingFlag[] = [];
  const start = verb('start', 'serve the project, until it is stopped', (project, options) => {
    const { config: configFile, daemon: isDaemon = false, readyFd } = options;
    return { verb: 'start', project, configFile, flags, isDaemon, readyFd };
  });
  addSettingFlags(start, flags);
  start
    .option('--daemon', 'go to the background once it serves')
    .addOption(new Option('--ready-fd <fd>').argParser(toWholeNumber(0)).hideHelp());
}

/** They take the same settings as start, and start nothing. */
function addLookingVerbs(verb: AddVerb): void {
  const flags: SettingFlag[] = [];
  const config = verb('config', 'print each setting with where it came from', (project, options) => {
    const { config: configFile, json: asJson = false } = options;
    return { verb: 'config', project, configFile, flags, asJson };
  });
  addSettingFlags(config, flags);
  config.option('--json', 'as JSON');
  addCheck(verb);
}

function addCheck(verb: AddVerb): void {
  const flags: SettingFlag[] = [];
  const silenced: string[] = [];
  const what = 'find what would keep the project from being served well; starts nothing';
  const check = verb('check', what, (project, options) => {
    const { config: configFile, json: asJson = false, strict: isStrict = false } = options;
    return { verb: 'check', project, configFile, flags, silenced, asJson, isStrict };
  });
  const asUser: NamedFlag = ['--user', 'name', 'user', 'try as that user would (for root)'];
  addSettingFlags(check, flags, [...settingFlags, asUser]);
  const silence = new Option('--silence <name>', 'leave this finding out; may be repeated');
  check
    .addOption(silence.argParser((name: string) => void silenced.push(name)))
    .option('--json', 'as JSON (docs/check.md)')
    .option('--strict', 'exit with 10 for warnings too');
}

function addInstall(verb: AddVerb): void {
  const flags: SettingFlag[] = [];
  const writable: string[] = [];
  const what = 'write a systemd service for the project, so that it starts at boot';
  const install = verb('install', what, (project, options) => {
    const { config: configFile, name, envFile, withoutEnv: isWithoutEnv = false } = options;
    const { socket: hasSockets = false, print: isPrinted = false } = options;
    const env = { envFile: options.saveEnv ?? envFile, isEnvSaved: options.saveEnv !== undefined };
    const given = { configFile, flags, name, writable, ...env };
    return { verb: 'install', project, ...given, isWithoutEnv, hasSockets, isPrinted };
  });
  addSettingFlags(install, flags, [...settingFlags, userFlag]);
  install
    .option('--name <name>', nameHelp)
    .option('--socket', 'let systemd bind the ports (socket activation)')
    .addOption(writableOption(writable))
    .option('--env-file <file>', 'variables for the service')
    .option('--save-env <file>', 'the same, made of those that are set here')
    .option('--without-env', 'accept that variables which are set here will be missing')
    .option('--print', 'print the units, and change nothing');
  verb('uninstall', 'stop the systemd service, and remove it', (project, { name }) => ({
    verb: 'uninstall',
    project,
    name,
  })).option('--name <name>', nameHelp);
}

function addAdopt(verb: AddVerb): void {
  const flags: SettingFlag[] = [];
  const writable: string[] = [];
  const what = "make a user for a folder of root's, and let it write what the application writes";
  const adopt = verb('adopt', what, (project, { config: configFile, user }) => ({
    verb: 'adopt',
    project,
    configFile,
    flags,
    user,
    writable,
  }));
  addSettingFlags(adopt, flags, []);
  adopt
    .option('--user <name>', 'one that is there already, in place of one of its own')
    .addOption(writableOption(writable));
  verb('disown', 'take back what adopt has done', (project) => ({ verb: 'disown', project }));
}

function writableOption(writable: string[]): Option {
  const option = new Option(
    '--writable <folder>',
    'a folder that the application writes to; may be repeated',
  );
  return option.argParser((path: string) => void writable.push(path));
}

const nameHelp = "name of the service (default: easyserve- and the folder's name)";
const dirHelp = "the project's folder (default: the current one)";

/** The settings that have flags of their own, and --set for all others; `given` is filled while the line is parsed. */
function addSettingFlags(
  command: Commander,
  given: SettingFlag[],
  named: readonly NamedFlag[] = settingFlags,
): void {
  for (const [flag, value, key, help] of named) {
    const parse = (text: string): void => {
      // --domain may be repeated, and names one domain each time.
      const earlier = key === 'domains' ? given.findLast((each) => each.key === key) : undefined;
      given.push({ key, value: earlier === undefined ? text : `${earlier.value},${text}`, flag });
    };
    const option =
      value === '' ? new Option(flag, help).preset('true') : new Option(`${flag} <${value}>`, help);
    command.addOption(option.argParser(parse));
  }
  const parseSet = (text: string) => void given.push(toSettingFlag(text));
  command.addOption(new Option('--set <key=value>', 'any setting; may be repeated').argParser(parseSet));
  command.option('--config <file>', 'settings file (default: easyserve.toml, .yaml or .json in the project)');
}

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
