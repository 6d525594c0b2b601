/**
 * What app/ (which process gets a request) and front/ (how it is sent) agree on; neither imports the other.
 */

import type { Scheme } from './scheme.js';

/** A Unix socket, or a port of this machine. */
export type SocketPlace = { readonly path: string } | { readonly host: string; readonly port: number };

/** Where an application process listens. The gateway's protocol is described in front/upstream/frames. */
export interface UpstreamAddress {
  readonly protocol: 'gateway' | 'http';
  readonly place: SocketPlace;
  /** On a port of this machine, where anyone may connect: what the gateway must be shown first. */
  readonly secret?: string | undefined;
}

/** Why a request was not answered by the application. */
export type RequestFailure =
  | 'queue-full'
  | 'queue-timeout'
  | 'unavailable'
  | 'upstream-died'
  | 'suspect'
  | 'upload-stalled'
  | 'upload-too-large'
  | 'stuck'
  | 'stopping';

/** What ties a request to others of its session, where a process holds that in its memory. */
export interface SessionTie {
  /** Its name; undefined: the request belongs to none yet. */
  readonly session: string | undefined;
  /** Calls back with the name of the session that the answer begins, before the client sees it. */
  onceBegun(tell: (session: string) => void): void;
}

/** A request that waits for, or runs on, a thread of an application process. */
export interface PendingRequest {
  readonly method: string;
  readonly path: string;
  readonly id: string;
  /** Who counts as one client: requests of different ones are served in turn. */
  readonly client: string;
  /** Monotonic milliseconds. */
  readonly arrivedAtMs: number;
  /** The client has gone: not worth sending any more. */
  readonly isAbandoned: boolean;
  /** Nothing of an answer has come yet, and the client still waits for it. */
  readonly isWaiting: boolean;
  /** Where sessions need the same process (`affinity`), and this request has to do with one. */
  readonly tie?: SessionTie | undefined;
  /** May be sent once more: GET or HEAD, not repeated too often before, no byte of an answer seen. */
  takeRetry(): boolean;
  /** Answers the client with an error page, or cuts the connection when the answer has begun. */
  fail(reason: RequestFailure): void;
}

/** A request that occupies a thread. */
export interface InFlight<R extends PendingRequest> {
  readonly request: R;
  /** Monotonic milliseconds. */
  readonly startedAtMs: number;
  /** The gateway's number of the thread; undefined for servers that do not tell. */
  readonly thread: number | undefined;
}

/** One application process as the front reaches it. front/upstream implements it, a member of the pool owns it. */
export interface Upstream<R extends PendingRequest> {
  /** Requests that it can take now: threads that wait, or what is left of the server's limit. */
  readonly idle: number;
  /** Requests claimed and not yet finished. */
  readonly inFlight: number;
  /** Of these the WebSockets and event streams, which may go on beside a newer generation for their own time. */
  readonly streams: number;
  /** Requests finished so far. */
  readonly finished: number;
  /** Puts the request on an idle thread. It counts as in flight from here on. Throws when none is idle. */
  send(request: R): void;
  /** Every request that occupies a thread now. */
  requests(): Iterable<InFlight<R>>;
  /** Makes one real GET; resolves with the status. Rejects when the process ends, and after the time of the probe. */
  probe(probe: Probe): Promise<ProbeResult>;
  /**
   * Takes no more requests, and closes the connections. Resolves when what the process wrote before its end has been passed
   * on; requests that are then in flight are lost (onLost), or cut when their answer has begun.
   */
  close(): Promise<void>;
}

/** One request as a visitor would make it. */
export interface Probe {
  /** With the query. */
  readonly path: string;
  readonly host: string;
  /** Of the visitor, who may have come through a proxy. */
  readonly scheme: Scheme;
  /** What such a proxy adds; names in lower case. */
  readonly proxyHeaders: Readonly<Record<string, string>>;
  /** URL prefix that the application is mounted under; '' for the root. */
  readonly scriptName: string;
  readonly timeoutMs: number;
}

export interface ProbeResult {
  readonly status: number;
  /** The first bytes of the body, for the error text. */
  readonly bodyHead: string;
  /** Where a redirect leads, as the application says it. */
  readonly location?: string | undefined;
}

/** What an upstream tells its pool. */
export interface UpstreamObserver<R extends PendingRequest> {
  /** A thread became idle, or a request turned out to be a stream: see idle, inFlight and streams. */
  onIdle(): void;
  /** The connection ended before a byte of the answer came. */
  onLost(request: R): void;
  /**
   * The connection ended in the middle of the answer, which the client has been shown, or after the client had left. Streams are
   * not told of: they are open for so long that it says nothing when a process ends in the meantime.
   */
  onCut(request: R): void;
  /** Nobody listens there any more: nothing of the request was sent, so that another process may have it. */
  onUnsent(request: R): void;
}

/** The pool, as the front sees it. */
export interface Dispatcher<R extends PendingRequest> {
  dispatch(request: R): void;
}
