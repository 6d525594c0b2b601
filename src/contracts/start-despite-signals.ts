import { type Clock, systemClock } from './clock.js';
import { EasyserveError } from './errors.js';
import { START_SIGNALLED } from './stray-signals.js';

/** Whoever sends signals for longer than that means the process, and not its log files. */
const SIGNALS_PASS_MS = 30_000;

export interface SignalledStarts {
  readonly clock?: Pick<Clock, 'now'>;
  readonly log?: { info(event: string, message: string): void };
}

/**
 * Starts a process once more when SIGUSR1, SIGUSR2 or SIGHUP has ended it while it started: they are sent to all processes of a
 * service, to have logs opened anew or the site reloaded, and by default they end one that has not set its handlers yet.
 *
 * No parent can have them ignored meanwhile: libuv resets the signals of what it spawns (uv__process_child_init), and Node its
 * own when it starts (node.cc, ResetSignalHandlers).
 *
 * `start` rejects with START_SIGNALLED then, and has left nothing of the process.
 */
export async function startDespiteSignals<T>(
  start: () => Promise<T>,
  { clock = systemClock, log }: SignalledStarts = {},
): Promise<T> {
  const untilMs = clock.now() + SIGNALS_PASS_MS;
  for (;;) {
    try {
      return await start();
    } catch (error) {
      const isSignalled = error instanceof EasyserveError && error.code === START_SIGNALLED;
      if (!isSignalled || clock.now() > untilMs) throw error;
      log?.info('start-repeated', `${error.message} It is started again.`);
    }
  }
}
