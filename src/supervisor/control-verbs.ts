import { EasyserveError, ExitCode } from '../contracts/errors.js';
import type { ControlHandler, ControlReporter } from '../control/control-connection.js';
import type { ConfigEntry, ControlRequest } from '../control/protocol.js';
import type { RecentLines } from '../log/recent-lines.js';
import { describeAddresses } from '../project/owned-addresses.js';
import type { Instance } from './instance.js';

export interface ControlVerbsOptions {
  readonly instance: Instance;
  readonly recentLines: RecentLines;
  /** Begins the stop; resolves when nothing serves any more. */
  readonly stop: (onStep: (text: string) => void) => Promise<void>;
}

/** What the verbs of the command line do in the instance. */
export function createControlHandler(options: ControlVerbsOptions): ControlHandler {
  const { instance, recentLines } = options;
  return async (request: ControlRequest, reporter: ControlReporter): Promise<unknown> => {
    const onStep = (text: string): void => reporter.progress(text);
    if (request.verb !== 'ping' && request.verb !== 'stop' && request.verb !== 'logs')
      refuseBeforeStart(instance);
    switch (request.verb) {
      case 'ping':
        return { state: instance.state };
      case 'status':
        return instance.status();
      case 'reload':
        return instance.reload('request', onStep);
      case 'restart':
        return instance.restart(onStep);
      case 'scale':
        return instance.scale(request.processes, onStep);
      case 'stop':
        return options.stop(onStep);
      case 'config':
        return listSettings(instance);
      case 'logs':
        return sendLines(recentLines, request, reporter);
    }
  };
}

// Private

function refuseBeforeStart(instance: Instance): void {
  if (instance.state !== 'starting') return;
  throw new EasyserveError('instance-starting', ExitCode.notRunning, 'easyserve is still starting.', {
    hint: 'easyserve logs -f',
  });
}

function listSettings(instance: Instance): ConfigEntry[] {
  const { settings, origins, project } = instance.release;
  const notes = describeAddresses(project, settings);
  return Object.entries(settings).map(([key, value]) => ({
    key,
    value,
    origin: origins[key as keyof typeof origins] ?? 'default',
    ...(key === 'serveMedia' && notes.length > 0 ? { notes } : {}),
  }));
}

async function sendLines(
  recent: RecentLines,
  { follow, lines }: Extract<ControlRequest, { verb: 'logs' }>,
  { line, signal }: ControlReporter,
): Promise<undefined> {
  for (const text of recent.last(lines)) line(text);
  if (!follow || signal.aborted) return undefined;
  const stopFollowing = recent.follow(line);
  await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
  stopFollowing();
  return undefined;
}
