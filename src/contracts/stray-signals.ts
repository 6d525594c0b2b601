import inspector from 'node:inspector';

/** Ask easyserve to stop: service managers use one or the other (KillSignal=), and Ctrl-\ on a terminal is the last. */
export const stopSignals = ['SIGTERM', 'SIGINT', 'SIGQUIT'] as const;

/** Sent to whole groups of processes, to have logs opened anew: `systemctl kill -s USR1`. */
const logSignals = ['SIGUSR1', 'SIGUSR2'] as const;

/** What means one process of a group, and ends others that have no handlers. SIGHUP is for the instance, to reload. */
const straySignals = [...logSignals, 'SIGHUP'] as const;

/** The code of an error about a process that has ended while it started; `code`: when no stray signal was the cause. */
export function endCode(signal: NodeJS.Signals | null, code: string): string {
  return isStraySignal(signal) ? START_SIGNALLED : code;
}

export function isStraySignal(signal: NodeJS.Signals | null): boolean {
  return straySignals.some((stray) => stray === signal);
}

export const START_SIGNALLED = 'start-signalled';

/** A SIGUSR1 that came before the first line of JavaScript opens the debugger a moment later. */
const looksAgainAfterMs = [0, 100, 1000] as const;

/**
 * Lets SIGUSR1 and SIGUSR2, in an application SIGHUP too, do nothing where nobody else listens for them: the first would open Node's debugger, by which
 * every user of the machine runs code as this one, the second would end the process (Node documentation, process, "Signal events").
 * The listeners stay when others come: the package signal-exit sends itself a signal that it believes to be the only
 * listener of.
 *
 * To be called as early as possible. Where Node was started with --inspect, its debugger stays.
 */
export function ignoreStraySignals({ isApplication = false } = {}): void {
  // A command on a terminal ends with it.
  for (const signal of isApplication ? straySignals : logSignals) process.on(signal, () => {});
  if (isInspected()) return;
  closeDebugger();
  // An application may open its debugger by itself.
  const delays = isApplication ? looksAgainAfterMs.slice(0, 1) : looksAgainAfterMs;
  for (const delayMs of delays) setTimeout(closeDebugger, delayMs).unref();
}

/** For a process of ours that has no use for SIGUSR1: blocks it from the first moment, in versions of Node that can. */
export const withoutDebugger: readonly string[] = ['--disable-sigusr1'].filter((flag) =>
  process.allowedNodeEnvironmentFlags.has(flag),
);

// Private

function isInspected(): boolean {
  return [...process.execArgv, process.env.NODE_OPTIONS ?? ''].some((flag) =>
    /(^|\s)--inspect(-brk|-wait)?(=|\s|$)/.test(flag),
  );
}

function closeDebugger(): void {
  if (inspector.url() !== undefined) inspector.close();
}
