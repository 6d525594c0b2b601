/**
 * The messages between the primary (WorkerHandle) and a worker (worker.ts) over the cluster's channel: calls of SiteControl,
 * and their answers.
 */
import type { ErrorRecord } from '../contracts/errors.js';
import type { TokenRequest } from '../front/limits/token-buckets.js';
import type { LogLevel } from '../log/log.js';
import type { SiteControl } from '../site/site-control.js';

export type SiteCall = Exclude<keyof SiteControl, 'pid' | 'kill'>;

export type CallArguments<C extends SiteCall> = Parameters<SiteControl[C]>;

/** To the worker, first: what it needs before it can make a Site. */
export interface WelcomeMessage {
  readonly kind: 'welcome';
  readonly runFolder: string;
  readonly spoolFolder: string;
  /** What the application processes inherit. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly log: { readonly format: 'pretty' | 'json'; readonly level: LogLevel; readonly colour: boolean };
}

/** To the worker. The listening socket of `listen` travels beside the message. */
export interface CallMessage {
  readonly kind: 'call';
  readonly id: number;
  readonly call: SiteCall;
  readonly args: readonly unknown[];
}

/** To the worker: its work is done. */
export interface LeaveMessage {
  readonly kind: 'leave';
}

/** To the worker: end everything at once, and leave. Not a call: it can come before `hello`. */
export interface KillMessage {
  readonly kind: 'kill';
}

/** To the worker: what TakeMessage `id` has come to; see RateCounter. */
export interface TakenMessage {
  readonly kind: 'taken';
  readonly id: number;
  readonly waitMs: number;
}

export type ToWorker = WelcomeMessage | CallMessage | LeaveMessage | KillMessage | TakenMessage;

/** To the primary: the worker listens to messages. */
export interface HelloMessage {
  readonly kind: 'hello';
}

export interface AnswerMessage {
  readonly kind: 'answer';
  readonly id: number;
  readonly result?: unknown;
  readonly error?: ErrorRecord;
}

/** To the primary: a request that a rate limit counts. */
export interface TakeMessage {
  readonly kind: 'take';
  readonly id: number;
  readonly request: TokenRequest;
}

export type ToPrimary = HelloMessage | AnswerMessage | TakeMessage;
