import type { EventEmitter } from 'node:events';

/** What signals ask for; the same verbs come from the control socket. */
export interface SignalVerbs {
  /** SIGTERM, SIGINT. */
  readonly stop: () => void;
  /** A second one. */
  readonly force: () => void;
  /** SIGHUP. */
  readonly reload: () => void;
}

/**
 * The only place where signals arrive (docs/signals.md). Called by launcher; the answer takes the handlers away.
 *
 * SIGPIPE is ignored by Node itself; SIGUSR1 is Node's debugger's.
 */
export function handleSignals(source: Pick<EventEmitter, 'on' | 'off'>, verbs: SignalVerbs): () => void {
  let isStopping = false;
  const stop = (): void => {
    if (isStopping) verbs.force();
    else {
      isStopping = true;
      verbs.stop();
    }
  };
  const table: ReadonlyArray<readonly [NodeJS.Signals, () => void]> = [
    ['SIGTERM', stop],
    ['SIGINT', stop],
    ['SIGHUP', verbs.reload],
  ];
  for (const [signal, act] of table) source.on(signal, act);
  return () => {
    for (const [signal, act] of table) source.off(signal, act);
  };
}
