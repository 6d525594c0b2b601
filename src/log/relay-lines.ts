import type { Readable } from 'node:stream';
import { holdBack, type Pace } from './pace.js';

/**
 * Passes on the log lines of another process of ours, a throng worker, whole lines only: they are written among those
 * of others. Used by launcher.
 */
export function relayLines(source: Readable, pace: Pace, write: (lines: string) => void): void {
  let rest = '';
  source.setEncoding('utf8').on('data', (text: string) => {
    const end = text.lastIndexOf('\n') + 1;
    if (end === 0) {
      rest += text;
      return;
    }
    const lines = rest + text.slice(0, end);
    rest = text.slice(end);
    write(lines);
    holdBack(source, pace);
  });
  source.once('end', () => {
    // It was killed in the middle of a line.
    if (rest !== '') write(`${rest}\n`);
  });
}
