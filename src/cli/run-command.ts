import { describeError, EasyserveError } from '../errors.js';
import { check } from './check.js';
import type { Command } from './command.js';
import { config } from './config.js';
import { install } from './install.js';
import { logs } from './logs.js';
import { printError } from './print-error.js';
import { parseCommandLine } from './program.js';
import { reload } from './reload.js';
import { restart } from './restart.js';
import { scale } from './scale.js';
import { start } from './start.js';
import { status } from './status.js';
import { stop } from './stop.js';
import type { Surroundings } from './surroundings.js';
import { uninstall } from './uninstall.js';

/** From arguments to exit code. Called by cli/main; everything that is thrown below ends here. */
export async function runCommandLine(argv: readonly string[], surroundings: Surroundings): Promise<number> {
  try {
    return await runCommand(parseCommandLine(argv, surroundings.version), surroundings);
  } catch (error) {
    const record = describeError(error);
    // What nobody foresaw keeps its stack, for the report of the bug.
    const hint = error instanceof EasyserveError ? record.hint : 'please report this, with the lines above';
    printError({ ...record, hint }, surroundings.stderr);
    return record.exitCode;
  }
}

function runCommand(command: Command, surroundings: Surroundings): number | Promise<number> {
  switch (command.verb) {
    case 'start':
      return start(command, surroundings);
    case 'stop':
      return stop(command, surroundings);
    case 'reload':
      return reload(command, surroundings);
    case 'restart':
      return restart(command, surroundings);
    case 'status':
      return status(command, surroundings);
    case 'scale':
      return scale(command, surroundings);
    case 'logs':
      return logs(command, surroundings);
    case 'config':
      return config(command, surroundings);
    case 'check':
      return check(command, surroundings);
    case 'install':
      return install(command, surroundings);
    case 'uninstall':
      return uninstall(command, surroundings);
    case 'print':
      surroundings[command.to].write(command.text);
      return command.exitCode;
  }
}
