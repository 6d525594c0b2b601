import type { Easyserve } from './easyserve.js';
import { eventually } from './eventually.js';
import type { LogRecord } from './record-stream.js';

/**
 * The first record of the whole log with this event, once it is there.
 *
 * For records of different levels: they come over two pipes, stdout and stderr, so their order is not certain, and
 * waitFor, which goes on behind the last one found, could miss one.
 */
export function logged(
  easyserve: Easyserve,
  event: string,
  where: (record: LogRecord) => boolean = () => true,
): Promise<LogRecord> {
  return eventually(
    () => {
      const found = easyserve.records.find((record) => record.event === event && where(record));
      if (found === undefined) throw new Error(`no "${event}" in the log`);
      return found;
    },
    { timeoutMs: 30_000 },
  );
}
