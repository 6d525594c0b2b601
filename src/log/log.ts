import type { Backpressure } from './backpressure.js';
import type { LogStream } from './line-batch.js';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

export type LogFields = Readonly<Record<string, unknown>>;

/** One request, as the access log shows it. */
export interface AccessRecord {
  readonly method: string;
  /** As the client sent it, with the query. */
  readonly path: string;
  readonly status: number;
  /** Bytes of the response body that were handed to the socket. */
  readonly bytes: number;
  readonly durationMs: number;
  readonly requestId: string;
  /** Where the application has given the answer an id of its own. */
  readonly applicationRequestId?: string | undefined;
  readonly client: string;
  /** The answer isn't whole, and why: the application broke it off, or its connection ended first. */
  readonly cut?: 'application' | 'connection' | undefined;
}

/**
 * What every part of the program logs through, given by constructor. Events are an interface: kebab-case, stable, listed in
 * docs/logs.md.
 */
export interface Log {
  debug(event: string, message: string, fields?: LogFields): void;
  info(event: string, message: string, fields?: LogFields): void;
  warn(event: string, message: string, fields?: LogFields): void;
  error(event: string, message: string, fields?: LogFields): void;
  access(record: AccessRecord): void;
  /** A line that the application wrote; `pid` is the application process. */
  application(line: string, source: { pid: number; stream: LogStream }): void;
  /** Of the stream that is written to: what reads an application's output slows down with it. */
  backpressureOf(stream: LogStream): Backpressure;
  /** The same log with fields added to each record. */
  child(fields: LogFields): Log;
}
