/** One line of the JSON log. */
export interface LogRecord {
  readonly event?: string;
  readonly [field: string]: unknown;
}

type Matches = (record: LogRecord) => boolean;

interface Waiter {
  readonly matches: Matches;
  readonly resolve: (record: LogRecord) => void;
}

/**
 * The log records of a running program, with a cursor: each wait begins behind the record that the wait before it
 * found, so that a second "reloaded" is a second reload.
 */
export class RecordStream {
  readonly records: LogRecord[] = [];
  readonly #partLines = new Map<string, string>();
  #cursor = 0;
  /** Records before this one do not match the present waiter; a load test logs tens of thousands. */
  #seen = 0;
  #waiter: Waiter | undefined;

  /** Takes output as it comes; `source` keeps the halves of lines of stdout and stderr apart. */
  push(source: string, text: string): void {
    const lines = ((this.#partLines.get(source) ?? '') + text).split('\n');
    this.#partLines.set(source, lines.pop() ?? '');
    for (const line of lines) {
      const record = parseRecord(line);
      if (record === undefined) continue;
      this.records.push(record);
    }
    this.#serve();
  }

  /** Resolves with the first record behind the cursor that matches. One wait at a time. */
  next(matches: Matches): { found: Promise<LogRecord>; cancel: () => void } {
    if (this.#waiter !== undefined)
      throw new Error('somebody waits for a record already; await one after the other');
    const found = new Promise<LogRecord>((resolve) => {
      this.#waiter = { matches, resolve };
    });
    this.#seen = this.#cursor;
    this.#serve();
    return {
      found,
      cancel: () => {
        this.#waiter = undefined;
      },
    };
  }

  #serve(): void {
    while (this.#waiter !== undefined && this.#seen < this.records.length) {
      const record = this.records[this.#seen++];
      if (record === undefined || !this.#waiter.matches(record)) continue;
      const { resolve } = this.#waiter;
      this.#cursor = this.#seen;
      this.#waiter = undefined;
      resolve(record);
    }
  }
}

/** Undefined for lines that are no record: output from before the log is there, and what is not ours. */
function parseRecord(line: string): LogRecord | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    return JSON.parse(line) as LogRecord;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
