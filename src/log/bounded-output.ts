import type { Clock } from '../contracts/clock.js';
import type { Backpressure } from './backpressure.js';
import type { OutputNews } from './output.js';

/** Where lines go, as bytes. */
export interface LineSink {
  /** Never blocks and never throws; calls back later, with the number of bytes that were taken. */
  write(bytes: Buffer, done: (error: NodeJS.ErrnoException | null, taken: number) => void): void;
  /** Ends a write that does not come back, where that is possible; for the end of this process. */
  breakOff(): void;
}

/** How what is written leaves this process at the end. */
export type Remains = 'none' | 'unwritten' | 'stuck';

/** From here on the applications that print are slowed down. */
const behindLength = 1024 * 1024;
/** Beyond this, what is written is left out: it would fill the memory. */
const fullLength = 16 * 1024 * 1024;
/** Less than this: it has caught up. */
const caughtUpLength = 512 * 1024;
/** As fullLength, while nothing can be written: a full disk may stay full for days. */
const failingLength = 1024 * 1024;
/** A reader that has taken nothing for so long has stopped reading: `easyserve start | less`, or a terminal after Ctrl-S. */
const stalledAfterMs = 2000;
/** What one write may take: as much as a pipe holds (pipe(7)). */
const chunkLength = 64 * 1024;
/** A failed write is tried again after this time. */
const failedRetryMs = 1000;
/** A full pipe is tried again after 1 ms, then each time after twice as long. */
const fullRetryMs = { first: 1, longest: 100 } as const;
/** How long a write that is broken off may take to come back. */
const breakOffMs = 500;
/** A reader that is gone for good; ECONNRESET comes from the socket pair that Node's spawn makes. */
const closedCodes: ReadonlySet<string> = new Set(['EPIPE', 'ECONNRESET', 'ENOTCONN', 'EBADF', 'ENXIO']);

/** `blocked`: a full pipe. `failing`: a full disk. */
type State = 'writing' | 'blocked' | 'failing' | 'closed';

/**
 * stdout or stderr, as a log writes to it: bounded in memory, with one write under way at a time.
 *
 * A slow reader slows down the applications that print (Backpressure). One that has stopped reading does not, nor does a
 * full disk: lines are lost in the end, counted, and everything else goes on.
 */
export class BoundedOutput implements Backpressure {
  readonly #sink: LineSink;
  readonly #clock: Clock;
  readonly #listeners = new Set<(news: OutputNews) => void>();
  readonly #waiting: (() => void)[] = [];
  readonly #pieces: string[] = [];
  /** Of #pieces, in characters. */
  #waitingLength = 0;
  /** What is being written, without what was taken of it. */
  #chunk = Buffer.alloc(0);
  #state: State = 'writing';
  #isUnderWay = false;
  #retryMs: number = fullRetryMs.first;
  #takenBytes = 0;
  #lostLines = 0;
  /** While it is behind: looks whether anything is read. */
  #stall: { isStalled: boolean; readonly cancel: () => void } | undefined;
  readonly #settling: (() => void)[] = [];

  constructor(sink: LineSink, clock: Clock) {
    this.#sink = sink;
    this.#clock = clock;
  }

  get isBehind(): boolean {
    return this.#stall?.isStalled === false && this.#state !== 'failing';
  }

  /** Any number of whole lines. */
  write(text: string): void {
    if (this.#state === 'closed' || text === '') return;
    if (this.#waitingLength > (this.#state === 'failing' ? failingLength : fullLength)) {
      this.#lostLines += countLines(text);
      return;
    }
    this.#pieces.push(text);
    this.#waitingLength += text.length;
    if (this.#waitingLength > behindLength) this.#watchStall();
    if (this.#state === 'writing') this.#advance();
  }

  onNews(listener: (news: OutputNews) => void): void {
    this.#listeners.add(listener);
  }

  onceCaughtUp(callback: () => void): void {
    if (this.isBehind) this.#waiting.push(callback);
    else callback();
  }

  /**
   * Waits until everything is written, at most so long; less where it fails. What is left then is given up. `stuck`: a write
   * does not come back, and would keep process.exit() waiting too.
   */
  async settle(timeoutMs: number | undefined): Promise<Remains> {
    if (this.#isUnderWay || (!this.#isEmpty && this.#state !== 'failing'))
      await this.#untilSettled(timeoutMs);
    const hasRemains = !this.#isEmpty && this.#state !== 'closed';
    if (this.#isUnderWay) {
      this.#state = 'closed';
      this.#sink.breakOff();
      await this.#untilSettled(breakOffMs);
    }
    if (this.#isUnderWay) return 'stuck';
    return hasRemains ? 'unwritten' : 'none';
  }

  // Private

  get #isEmpty(): boolean {
    return this.#chunk.length === 0 && this.#pieces.length === 0;
  }

  async #untilSettled(timeoutMs: number | undefined): Promise<void> {
    // The clock's timers let the process end meanwhile.
    const keepAlive = setInterval(() => {}, 60_000);
    await new Promise<void>((resolve) => {
      this.#settling.push(resolve);
      if (timeoutMs !== undefined) this.#clock.after(timeoutMs, resolve);
    });
    clearInterval(keepAlive);
  }

  #advance(): void {
    if (this.#isUnderWay || this.#state === 'closed') return;
    if (this.#chunk.length === 0) this.#chunk = this.#takeChunk();
    if (this.#chunk.length === 0) return;
    this.#isUnderWay = true;
    this.#sink.write(this.#chunk, (error, taken) => {
      this.#isUnderWay = false;
      if (this.#state === 'closed') this.#endSettling();
      else if (error !== null) this.#onError(error);
      else if (taken === 0) this.#block();
      else this.#onTaken(taken);
    });
  }

  #takeChunk(): Buffer<ArrayBuffer> {
    let count = 0;
    let length = 0;
    while (count < this.#pieces.length && length < chunkLength) {
      length += this.#pieces[count]?.length ?? 0;
      count += 1;
    }
    this.#waitingLength -= length;
    return Buffer.from(this.#pieces.splice(0, count).join(''));
  }

  #onTaken(taken: number): void {
    this.#chunk = this.#chunk.subarray(taken);
    this.#takenBytes += taken;
    this.#retryMs = fullRetryMs.first;
    if (this.#state === 'blocked') this.#state = 'writing';
    if (this.#waitingLength <= caughtUpLength) this.#catchUp();
    if (this.#isEmpty) this.#onEmpty();
    this.#advance();
  }

  #onEmpty(): void {
    if (this.#state === 'failing') {
      this.#state = 'writing';
      this.#tell({ kind: 'recovered', lostLines: this.#takeLostLines() });
    }
    if (this.#isEmpty) this.#endSettling();
  }

  #onError(error: NodeJS.ErrnoException): void {
    const code = error.code ?? '';
    if (code === 'EINTR') this.#advance();
    else if (code === 'EAGAIN') this.#block();
    else if (closedCodes.has(code)) this.#close();
    else this.#fail(error);
  }

  /** There is no way to be told when there is room for a file descriptor that is no stream of Node's. */
  #block(): void {
    if (this.#state === 'writing') this.#state = 'blocked';
    this.#clock.after(this.#retryMs, () => this.#advance());
    this.#retryMs = Math.min(2 * this.#retryMs, fullRetryMs.longest);
  }

  #fail(error: NodeJS.ErrnoException): void {
    const isNew = this.#state !== 'failing';
    this.#state = 'failing';
    this.#callBack();
    this.#endSettling();
    this.#clock.after(failedRetryMs, () => this.#advance());
    if (isNew) this.#tell({ kind: 'failed', error });
  }

  #close(): void {
    this.#state = 'closed';
    this.#pieces.length = 0;
    this.#waitingLength = 0;
    this.#chunk = Buffer.alloc(0);
    this.#catchUp();
    this.#endSettling();
    this.#tell({ kind: 'closed' });
  }

  /** From the moment it falls behind until it has caught up. */
  #watchStall(): void {
    if (this.#stall !== undefined) return;
    let takenBefore = this.#takenBytes;
    const cancel = this.#clock.every(stalledAfterMs, () => {
      if (this.#takenBytes === takenBefore) this.#giveUp();
      takenBefore = this.#takenBytes;
    });
    this.#stall = { isStalled: false, cancel };
  }

  #giveUp(): void {
    if (this.#stall !== undefined) this.#stall.isStalled = true;
    this.#callBack();
  }

  #catchUp(): void {
    this.#stall?.cancel();
    this.#stall = undefined;
    this.#callBack();
    if (this.#lostLines > 0 && this.#state === 'writing')
      this.#tell({ kind: 'caught-up', lostLines: this.#takeLostLines() });
  }

  #endSettling(): void {
    for (const resolve of this.#settling.splice(0)) resolve();
  }

  #takeLostLines(): number {
    const lines = this.#lostLines;
    this.#lostLines = 0;
    return lines;
  }

  #callBack(): void {
    for (const callback of this.#waiting.splice(0)) callback();
  }

  #tell(news: OutputNews): void {
    for (const listener of this.#listeners) listener(news);
  }
}

function countLines(text: string): number {
  let lines = 0;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) lines += 1;
  return lines;
}
