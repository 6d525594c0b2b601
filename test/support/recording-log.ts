import type { Log, LogFields } from '../../src/log/log.js';

export interface LoggedRecord {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly event: string;
  readonly message: string;
  readonly fields: LogFields;
}

/** Keeps what is logged through it. */
export class RecordingLog implements Log {
  readonly records: LoggedRecord[] = [];

  debug = this.#recorder('debug');
  info = this.#recorder('info');
  warn = this.#recorder('warn');
  error = this.#recorder('error');

  access(): void {}

  application(): void {}

  child(): Log {
    return this;
  }

  #recorder(level: LoggedRecord['level']): Log['info'] {
    return (event, message, fields = {}) => this.records.push({ level, event, message, fields });
  }
}
