import type { EventEmitter } from 'node:events';
import type { Clock } from '../contracts/clock.js';
import { stopSignals } from '../contracts/stray-signals.js';

/** What signals ask for; the same verbs come from the control socket. */
export interface SignalVerbs {
  /** SIGTERM, SIGINT, SIGQUIT. */
  readonly stop: () => void;
  /** A second one. */
  readonly force: () => void;
  /** SIGHUP. */
  readonly reload: () => void;
  /** SIGUSR1. */
  readonly reopenLogs: () => void;
  /** SIGUSR2. */
  readonly ignore: (signal: NodeJS.Signals) => void;
}

/**
 * Within this time a signal is the first one again, not a second one: Ctrl-C and systemd reach the whole process group, and an
 * npm in it (`npm start`, or npx) passes SIGINT and SIGTERM on to its child once more.
 */
const ECHO_MS = 50;

/**
 * The only place where signals arrive (docs/supervision.md). The answer takes the handlers away.
 *
 * Node ignores SIGPIPE itself (Node documentation, process, "Signal events"). Before and after that, SIGUSR1 and SIGUSR2 do
 * nothing (contracts/stray-signals).
 */
export function handleSignals(
  source: Pick<EventEmitter, 'on' | 'off'>,
  verbs: SignalVerbs,
  clock: Pick<Clock, 'now'>,
): () => void {
  let stoppedAtMs: number | undefined;
  const stop = (): void => {
    if (stoppedAtMs === undefined) {
      stoppedAtMs = clock.now();
      verbs.stop();
    } else if (clock.now() - stoppedAtMs > ECHO_MS) verbs.force();
  };
  const table: ReadonlyArray<readonly [NodeJS.Signals, () => void]> = [
    ...stopSignals.map((signal) => [signal, stop] as const),
    ['SIGHUP', verbs.reload],
    ['SIGUSR1', verbs.reopenLogs],
    ['SIGUSR2', () => verbs.ignore('SIGUSR2')],
  ];
  for (const [signal, act] of table) source.on(signal, act);
  return () => {
    for (const [signal, act] of table) source.off(signal, act);
  };
}
