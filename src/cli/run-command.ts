import { describeError, EasyserveError } from '../contracts/errors.js';
import { visibleOutput } from '../log/visible-output.js';
import type { CliContext } from './cli-context.js';
import type { Command } from './command.js';
import { parseCommandLine } from './program.js';
import { printError } from './text/layout.js';

/** From arguments to exit code. Everything that is thrown below ends here. */
export async function runCommandLine(argv: readonly string[], given: CliContext): Promise<number> {
  const stdout = visibleOutput(given.stdout);
  // Where both lead to the same place, they are one (log/output).
  const stderr = given.stderr === given.stdout ? stdout : visibleOutput(given.stderr);
  const context = { ...given, stdout, stderr };
  try {
    return await runCommand(parseCommandLine(argv, context.version), context);
  } catch (error) {
    const record = describeError(error);
    // An unexpected error keeps its stack, for the report of the bug.
    const hint = error instanceof EasyserveError ? record.hint : 'please report this, with the lines above';
    printError({ ...record, hint }, context.stderr);
    return record.exitCode;
  }
}

/** Each verb loads only what it needs: `reload`, which asks the running instance, would take three times as long otherwise. */
async function runCommand(command: Command, context: CliContext): Promise<number> {
  switch (command.verb) {
    case 'start':
      return (await import('./verbs/start.js')).start(command, context);
    case 'stop':
      return (await import('./verbs/stop.js')).stop(command, context);
    case 'reload':
      return (await import('./verbs/reload.js')).reload(command, context);
    case 'restart':
      return (await import('./verbs/restart.js')).restart(command, context);
    case 'status':
      return (await import('./verbs/status.js')).status(command, context);
    case 'scale':
      return (await import('./verbs/scale.js')).scale(command, context);
    case 'logs':
      return (await import('./verbs/logs.js')).logs(command, context);
    case 'config':
      return (await import('./verbs/config.js')).config(command, context);
    case 'check':
      return (await import('./verbs/check.js')).check(command, context);
    case 'install':
      return (await import('./verbs/install.js')).install(command, context);
    case 'uninstall':
      return (await import('./verbs/uninstall.js')).uninstall(command, context);
    case 'adopt':
      return (await import('./verbs/adopt.js')).adopt(command, context);
    case 'disown':
      return (await import('./verbs/disown.js')).disown(command, context);
    case 'print':
      context[command.to].write(command.text);
      return command.exitCode;
  }
}
