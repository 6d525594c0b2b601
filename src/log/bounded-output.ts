import type { Writable } from 'node:stream';
import type { Clock } from '../contracts/clock.js';
import type { Backpressure } from './backpressure.js';

/** From here on the applications that print are slowed down. */
const behindBytes = 1024 * 1024;
/** Beyond this, what is written is left out: it would fill the memory. */
const fullBytes = 16 * 1024 * 1024;
/** A reader that has taken nothing for so long has stopped reading: `easyserve start | less`, or a terminal after Ctrl-S. */
const stalledAfterMs = 2000;

/**
 * stdout or stderr of this process, as a log writes to it, with a bound to the memory that it takes.
 *
 * A pipe takes what its reader takes; Node keeps the rest in memory without a limit (Node documentation,
 * writable.write). A slow reader slows down the applications that print (Backpressure). One that has stopped reading does not:
 * then lines are lost in the end, and counted.
 */
export class BoundedOutput implements Backpressure {
  readonly #stream: Writable;
  readonly #clock: Clock;
  readonly #waiting: (() => void)[] = [];
  /** The reader has stopped reading: nobody waits for it any more. */
  #isStalled = false;
  #isWatching = false;
  /** Of everything that was ever written, in the unit of writableLength. */
  #writtenLength = 0;
  #lostLines = 0;

  constructor(stream: Writable, clock: Clock) {
    this.#stream = stream;
    this.#clock = clock;
  }

  get isBehind(): boolean {
    return !this.#isStalled && this.#stream.writableLength > behindBytes;
  }

  /** Any number of whole lines. */
  write(text: string): void {
    const before = this.#stream.writableLength;
    if (before > fullBytes) {
      this.#lostLines += countLines(text);
      return;
    }
    this.#stream.write(text);
    this.#writtenLength += this.#stream.writableLength - before;
    if (this.#stream.writableLength > behindBytes) this.#watch();
  }

  /** How many lines were left out, once, when there is room again to say so. */
  takeLostLines(): number {
    if (this.#stream.writableLength > behindBytes) return 0;
    const lines = this.#lostLines;
    this.#lostLines = 0;
    return lines;
  }

  onceCaughtUp(callback: () => void): void {
    if (this.isBehind) this.#waiting.push(callback);
    else callback();
  }

  // Private

  get #readLength(): number {
    return this.#writtenLength - this.#stream.writableLength;
  }

  /** From the moment it falls behind until everything is read. */
  #watch(): void {
    if (this.#isWatching) return;
    this.#isWatching = true;
    let readBefore = this.#readLength;
    const cancel = this.#clock.every(stalledAfterMs, () => {
      if (this.#readLength === readBefore) this.#giveUp();
      readBefore = this.#readLength;
    });
    const end = (): void => {
      cancel();
      this.#stream.off('drain', end);
      this.#stream.off('close', end);
      this.#isWatching = false;
      this.#isStalled = false;
      this.#callBack();
    };
    this.#stream.once('drain', end);
    this.#stream.once('close', end);
  }

  #giveUp(): void {
    this.#isStalled = true;
    this.#callBack();
  }

  #callBack(): void {
    for (const callback of this.#waiting.splice(0)) callback();
  }
}

function countLines(text: string): number {
  let lines = 0;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) lines += 1;
  return lines;
}
