import type { Clock } from '../../contracts/clock.js';
import type { Condition } from '../../contracts/condition.js';
import type { PendingRequest } from '../../contracts/upstream.js';
import type { Log } from '../../log/log.js';
import type { MemberLauncher, MemberObserver } from './member-launcher.js';

/** What all generations of a pool share. */
export interface GenerationContext<R extends PendingRequest> {
  readonly launcher: MemberLauncher<R>;
  readonly observer: GenerationObserver<R>;
  /** Notified when a request has ended or has turned out to be a stream, and when a process is gone. */
  readonly progress: Condition;
  readonly clock: Clock;
  readonly log: Log;
}

export interface GenerationObserver<R extends PendingRequest> extends MemberObserver<R> {
  /** No process is left, and none will come soon. */
  onUnavailable(): void;
  /** A process has ended by itself; these requests were in flight. */
  onDied(inFlight: readonly R[]): void;
  /** The standby process does not start. */
  onNoStandby(): void;
}
