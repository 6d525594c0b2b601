import type { Readable } from 'node:stream';
import { applyBackpressure, type Backpressure, noBackpressure } from './backpressure.js';
import { LineCutter } from './line-cutter.js';

const MAX_LINE_LENGTH = 16 * 1024;

export interface ReadOptions {
  /** Of the stream that the lines are written to. Default: none. */
  readonly backpressure?: Backpressure;
  /** In characters; a longer line comes in pieces. Default: 16 Ki. */
  readonly maxLineLength?: number;
}

/** Calls back for each line that a process writes, without its line end. */
export function readLines(source: Readable, onLine: (line: string) => void, options: ReadOptions = {}): void {
  const { backpressure = noBackpressure, maxLineLength = MAX_LINE_LENGTH } = options;
  const cutter = new LineCutter({ maxLineLength });
  source.on('data', (chunk: Buffer) => {
    for (const line of cutter.push(chunk)) onLine(line.endsWith('\r') ? line.slice(0, -1) : line);
    applyBackpressure(source, backpressure);
  });
  source.once('end', () => {
    const last = cutter.end();
    if (last !== '') onLine(last);
  });
}

/**
 * Passes on the log lines of another process of ours, a throng worker: whole lines only, because they are written among
 * those of others, and as they come, because there is one for each request.
 */
export function relayLines(
  source: Readable,
  backpressure: Backpressure,
  write: (lines: string) => void,
): void {
  const cutter = new LineCutter();
  source.on('data', (chunk: Buffer) => {
    const lines = cutter.pushWhole(chunk);
    if (lines === '') return;
    write(lines);
    applyBackpressure(source, backpressure);
  });
  source.once('end', () => {
    // It was killed in the middle of a line.
    const last = cutter.end();
    if (last !== '') write(`${last}\n`);
  });
}
