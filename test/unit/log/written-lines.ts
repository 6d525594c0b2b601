import { systemClock } from '../../../src/contracts/clock.js';
import { createLog, type LogOptions, type RootLog } from '../../../src/log/create-log.js';

/** A log whose writes are kept, each as [stream, text]. */
export function openLog(options: Partial<LogOptions> = {}): { log: RootLog; writes: [string, string][] } {
  const writes: [string, string][] = [];
  const log = createLog({
    format: 'json',
    level: 'info',
    colour: false,
    pid: 77,
    clock: systemClock,
    write: (text, stream) => writes.push([stream, text]),
    ...options,
  });
  return { log, writes };
}

/** All records that were written, in order, of both streams. */
export function recordsOf(writes: readonly [string, string][]): Record<string, unknown>[] {
  return writes.flatMap(([, text]) => linesOf(text).map((line) => JSON.parse(line)));
}

/** The lines of a text that must end with a newline. */
export function linesOf(text: string): string[] {
  if (!text.endsWith('\n')) throw new Error(`not a whole number of lines: ${JSON.stringify(text)}`);
  return text.slice(0, -1).split('\n');
}

export const accessRecord = {
  method: 'GET',
  path: '/a?b=c',
  status: 200,
  bytes: 1234,
  durationMs: 3.4567,
  requestId: '4f1a',
  client: '127.0.0.1',
};

/** What must not end a line, move a cursor or turn the direction of reading, in any format. */
export const hostileTexts: readonly string[] = [
  'a\n{"level":"info","event":"ready"}',
  'a\r\n12:00:00  info   ready',
  '\u001b[2J\u001b]0;title\u0007',
  '\u009b2J',
  '\u0000\u0008\u007f',
  'a\u2028b\u2029c',
  '\u202egnp.exe\u2066',
  '"}\n{"',
  'back\\slash "quoted"',
];

/** Nothing of it is written as it is by either format. */
export const forbidden = /[\p{Cc}\u2028-\u202e\u2066-\u2069]/u;
