import { type Refusal, refusals } from './request-rules.js';

/** With its extensions; those that are in use take about a hundred bytes. */
const MAX_SIZE_LINE_BYTES = 1024;
/** 4 GiB in one chunk is nothing that anybody sends; servers differ on what they make of more (RFC 9112 section 7.1). */
const MAX_SIZE_DIGITS = 8;
const SIZE_LINE = /^0*([0-9a-f]*)(?:;.*)?\r$/is;
const LINE_FEED = 10;
const CRLF_BYTES = 2;

export interface ChunkLimits {
  readonly maxBodyBytes: number;
  readonly maxHeaderCount: number;
  readonly maxHeaderBytes: number;
}

/**
 * Where a chunked body ends (RFC 9112 section 7.1), and what is wrong with it that Node's parser takes: it waits for as many bytes as
 * a chunk announces, be it 2^64, and counts neither zeros nor trailer fields.
 */
export class ChunkedBody {
  readonly #limits: ChunkLimits;
  #part: 'chunks' | 'trailers' | 'over' = 'chunks';
  /** Of the chunk, with the line's end behind it. */
  #dataBytesLeft = 0;
  #line = '';
  #trailers = 0;
  #trailerBytes = 0;
  #refusal: Refusal | undefined;

  constructor(limits: ChunkLimits) {
    this.#limits = limits;
  }

  get isOver(): boolean {
    return this.#part === 'over';
  }

  get refusal(): Refusal | undefined {
    return this.#refusal;
  }

  /** How many bytes of the piece belong to the body. */
  take(piece: Buffer): number {
    let at = 0;
    while (at < piece.length && !this.isOver && this.#refusal === undefined) {
      at = this.#dataBytesLeft > 0 ? this.#skipData(piece, at) : this.#readLine(piece, at);
    }
    return at;
  }

  // Private

  #skipData(piece: Buffer, at: number): number {
    const skipped = Math.min(this.#dataBytesLeft, piece.length - at);
    this.#dataBytesLeft -= skipped;
    return at + skipped;
  }

  #readLine(piece: Buffer, at: number): number {
    const end = piece.indexOf(LINE_FEED, at);
    this.#line += piece.toString('latin1', at, end < 0 ? piece.length : end);
    const isSize = this.#part === 'chunks';
    if (this.#line.length > (isSize ? MAX_SIZE_LINE_BYTES : this.#limits.maxHeaderBytes)) {
      this.#refusal = isSize ? refusals.chunk : refusals.headerBytes;
    }
    if (end < 0) return piece.length;
    if (isSize) this.#endSizeLine(this.#line);
    else this.#endTrailer(this.#line);
    this.#line = '';
    return end + 1;
  }

  #endSizeLine(line: string): void {
    const digits = /^[0-9a-f]/i.test(line) ? SIZE_LINE.exec(line)?.[1] : undefined;
    if (digits === undefined || digits.length > MAX_SIZE_DIGITS) this.#refusal ??= refusals.chunk;
    else if (digits === '') this.#part = 'trailers';
    else this.#beginData(Number.parseInt(digits, 16));
  }

  #beginData(bytes: number): void {
    if (bytes > this.#limits.maxBodyBytes) this.#refusal ??= refusals.bodyBytes;
    this.#dataBytesLeft = bytes + CRLF_BYTES;
  }

  #endTrailer(line: string): void {
    if (line === '\r') {
      this.#part = 'over';
      return;
    }
    this.#trailers += 1;
    this.#trailerBytes += line.length;
    if (this.#trailers > this.#limits.maxHeaderCount) this.#refusal ??= refusals.headerCount;
    if (this.#trailerBytes > this.#limits.maxHeaderBytes) this.#refusal ??= refusals.headerBytes;
  }
}
