import { pino } from 'pino';
import type { Clock } from '../contracts/clock.js';
import { describeError } from '../contracts/errors.js';
import { type Backpressure, noBackpressure } from './backpressure.js';
import { JsonLines } from './json-lines.js';
import { LineBatch, type LogStream, type WriteLines } from './line-batch.js';
import type { ApplicationSource, LineFormat } from './line-format.js';
import type { AccessRecord, Log, LogFields, LogLevel } from './log.js';
import { PrettyLines } from './pretty.js';

export interface LogOptions {
  readonly format: 'pretty' | 'json';
  readonly level: LogLevel;
  /** Only for the pretty format. */
  readonly colour: boolean;
  /** Where the lines go; called with any number of whole lines. */
  readonly write: WriteLines;
  readonly clock: Clock;
  /** Default: none, because everything is read at once. */
  readonly backpressureOf?: ((stream: LogStream) => Backpressure) | undefined;
  /** Added to every record. */
  readonly fields?: LogFields;
  /** Of this process, in each record. */
  readonly pid?: number;
}

/** The log as whoever made it holds it; everything else sees no more than Log. */
export interface RootLog extends Log {
  /** For this log and all its children, from the next record on. */
  setLevel(level: LogLevel): void;
  /** Writes what is still waiting, before process.exit. */
  flush(): void;
}

/**
 * Makes the one log of a process.
 *
 * Events are written at once, warnings and errors to stderr. Access and application lines are gathered for a moment
 * (LineBatch). The level does not hide application lines: they are the application's, not ours.
 */
export function createLog(options: LogOptions): RootLog {
  const { pid = process.pid, fields = {} } = options;
  const batch = new LineBatch(options.write, options.clock);
  const bound = { pid, ...fields };
  const lines =
    options.format === 'json' ? new JsonLines(bound) : new PrettyLines({ colour: options.colour, pid });
  const shared: SharedState = {
    level: options.level,
    batch,
    backpressureOf: options.backpressureOf ?? (() => noBackpressure),
    events: createPino(lines, batch),
  };
  return new BoundLog(shared, lines, bound);
}

/** What a log and its children have in common. */
interface SharedState {
  level: LogLevel;
  readonly batch: LineBatch;
  readonly backpressureOf: (stream: LogStream) => Backpressure;
  readonly events: pino.Logger;
}

const ranks: Readonly<Record<LogLevel, number>> = { debug: 20, info: 30, warn: 40, error: 50 };

/** Takes all levels: BoundLog checks the level, because pino's own would have to be set in each child. */
function createPino(lines: LineFormat, batch: LineBatch): pino.Logger {
  const destination = {
    // Makes pino note the level of the line that it writes (pino doc, "pino.symbols.needsMetadataGsym").
    [Symbol.for('pino.metadata')]: true,
    lastLevel: ranks.info,
    write(json: string) {
      const stream: LogStream = this.lastLevel >= ranks.warn ? 'stderr' : 'stdout';
      batch.add(lines.event(json), stream);
      batch.flush();
    },
  };
  return pino(
    {
      level: 'debug',
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    destination,
  );
}

/** A log with the fields that its records have in common; its children share everything else with it. */
class BoundLog implements RootLog {
  readonly #shared: SharedState;
  readonly #lines: LineFormat;
  readonly #fields: LogFields;

  constructor(shared: SharedState, lines: LineFormat, fields: LogFields) {
    this.#shared = shared;
    this.#lines = lines;
    this.#fields = fields;
  }

  debug(event: string, message: string, fields?: LogFields): void {
    this.#event('debug', event, message, fields);
  }

  info(event: string, message: string, fields?: LogFields): void {
    this.#event('info', event, message, fields);
  }

  warn(event: string, message: string, fields?: LogFields): void {
    this.#event('warn', event, message, fields);
  }

  error(event: string, message: string, fields?: LogFields): void {
    this.#event('error', event, message, fields);
  }

  access(record: AccessRecord): void {
    if (ranks[this.#shared.level] > ranks.info) return;
    this.#shared.batch.add(this.#lines.access(record), 'stdout');
  }

  application(line: string, source: ApplicationSource): void {
    this.#shared.batch.add(this.#lines.application(line, source), source.stream);
  }

  backpressureOf(stream: LogStream): Backpressure {
    return this.#shared.backpressureOf(stream);
  }

  child(fields: LogFields): Log {
    return new BoundLog(this.#shared, this.#lines.with(fields), { ...this.#fields, ...fields });
  }

  setLevel(level: LogLevel): void {
    this.#shared.level = level;
  }

  flush(): void {
    this.#shared.batch.flush();
  }

  #event(level: LogLevel, event: string, message: string, fields: LogFields | undefined): void {
    if (ranks[level] < ranks[this.#shared.level]) return;
    this.#shared.events[level]({ ...this.#fields, event, ...describeFields(fields) }, message);
  }
}

/** An Error under `error` becomes its message, with code, hint and detail beside it, as all records show them. */
function describeFields(fields: LogFields | undefined): LogFields | undefined {
  if (!(fields?.error instanceof Error)) return fields;
  const { error, ...rest } = fields;
  const { message, code, hint, detail } = describeError(error);
  return { error: message, code, hint, detail, ...rest };
}
