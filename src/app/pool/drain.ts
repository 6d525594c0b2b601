import type { Clock } from '../../contracts/clock.js';
import type { Condition } from '../../contracts/condition.js';

/** What is waited for: the requests on one process. */
export interface Draining {
  readonly inFlight: number;
  /** Of these the WebSockets and event streams. */
  readonly streams: number;
}

/** How long a process that gets no new requests may finish those in flight; the settings of these names. */
export interface DrainTimes {
  readonly drainTimeoutMs: number;
  /** For WebSockets and event streams, when nothing else is left. */
  readonly streamDrainTimeoutMs: number;
}

export const atOnce: DrainTimes = { drainTimeoutMs: 0, streamDrainTimeoutMs: 0 };

/** No request is in flight but streams. */
export function isAnswered({ inFlight, streams }: Draining): boolean {
  return inFlight === streams;
}

/**
 * Resolves when nothing is in flight, or at the deadline: first that of the requests, then that of the streams, both counted
 * from now. `progress` tells that a request has ended or has turned out to be a stream.
 */
export async function drained(
  draining: Draining,
  times: DrainTimes,
  { progress, clock }: { readonly progress: Condition; readonly clock: Clock },
): Promise<void> {
  const startedAtMs = clock.now();
  await progress.waitFor(() => isAnswered(draining), times.drainTimeoutMs);
  // The requests that are left are cut, and the streams with them, because a process is stopped only as a whole.
  if (!isAnswered(draining)) return;
  const leftMs = times.streamDrainTimeoutMs - (clock.now() - startedAtMs);
  await progress.waitFor(() => draining.inFlight === 0, leftMs);
}

/**
 * Resolves when of these processes only those are left whose streams go on. `present`: those that are not gone yet. Each of
 * them is being drained, which has its deadline.
 */
export function onlyStreamsLeft(present: () => Iterable<Draining>, progress: Condition): Promise<void> {
  return progress.waitFor(() =>
    [...present()].every((draining) => draining.streams > 0 && isAnswered(draining)),
  );
}
