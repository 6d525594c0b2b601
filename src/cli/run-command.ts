import { describeError, EasyserveError } from '../contracts/errors.js';
import type { Command } from './command.js';
import { parseCommandLine } from './program.js';
import type { Surroundings } from './surroundings.js';
import { printError } from './text/print-error.js';

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

/** Each verb loads what it needs: `reload`, which only asks the running instance, would take three times as long with all of it. */
async function runCommand(command: Command, surroundings: Surroundings): Promise<number> {
  switch (command.verb) {
    case 'start':
      return (await import('./verbs/start.js')).start(command, surroundings);
    case 'stop':
      return (await import('./verbs/stop.js')).stop(command, surroundings);
    case 'reload':
      return (await import('./verbs/reload.js')).reload(command, surroundings);
    case 'restart':
      return (await import('./verbs/restart.js')).restart(command, surroundings);
    case 'status':
      return (await import('./verbs/status.js')).status(command, surroundings);
    case 'scale':
      return (await import('./verbs/scale.js')).scale(command, surroundings);
    case 'logs':
      return (await import('./verbs/logs.js')).logs(command, surroundings);
    case 'config':
      return (await import('./verbs/config.js')).config(command, surroundings);
    case 'check':
      return (await import('./verbs/check.js')).check(command, surroundings);
    case 'install':
      return (await import('./verbs/install.js')).install(command, surroundings);
    case 'uninstall':
      return (await import('./verbs/uninstall.js')).uninstall(command, surroundings);
    case 'print':
      surroundings[command.to].write(command.text);
      return command.exitCode;
  }
}
