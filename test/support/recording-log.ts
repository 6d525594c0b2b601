import { type Backpressure, noBackpressure } from '../../src/log/backpressure.js';
import type { AccessRecord, Log, LogFields } from '../../src/log/log.js';
import { withDeadline } from './with-deadline.js';

export interface LoggedRecord {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly event: string;
  readonly message: string;
  readonly fields: LogFields;
}

/** Keeps what is logged through it. */
export class RecordingLog implements Log {
  readonly records: LoggedRecord[] = [];
  readonly accessRecords: AccessRecord[] = [];
  /** What the application wrote, with the pid in front. */
  readonly applicationLines: string[] = [];
  readonly #waiters = new Set<() => void>();

  debug = this.#recorder('debug');
  info = this.#recorder('info');
  warn = this.#recorder('warn');
  error = this.#recorder('error');

  access(record: AccessRecord): void {
    this.accessRecords.push(record);
    this.#wake();
  }

  application(line: string, source: { pid: number }): void {
    this.applicationLines.push(`${source.pid} ${line}`);
    this.#wake();
  }

  backpressureOf(): Backpressure {
    return noBackpressure;
  }

  child(): Log {
    return this;
  }

  /** The records of an event, oldest first. */
  all(event: string): LoggedRecord[] {
    return this.records.filter((record) => record.event === event);
  }

  /** Resolves with the `count`th record of an event, which may be there already. */
  async seen(event: string, count = 1): Promise<LoggedRecord> {
    await this.until(() => this.all(event).length >= count, `${count} x ${event}`);
    return this.all(event)[count - 1] as LoggedRecord;
  }

  /** Resolves when the check holds; it is asked whenever something is logged. */
  async until(check: () => boolean, describe: string): Promise<void> {
    const found = new Promise<void>((resolve) => {
      const wake = (): void => {
        if (!check()) return;
        this.#waiters.delete(wake);
        resolve();
      };
      this.#waiters.add(wake);
      wake();
    });
    const events = (): string => this.records.map(({ event }) => event).join(', ');
    await withDeadline(found, 10_000, () => `${describe}; logged: ${events()}`);
  }

  #wake(): void {
    for (const wake of [...this.#waiters]) wake();
  }

  #recorder(level: LoggedRecord['level']): Log['info'] {
    return (event, message, fields = {}) => {
      this.records.push({ level, event, message, fields });
      this.#wake();
    };
  }
}
