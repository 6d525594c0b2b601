/**
 * The gateway's wire protocol; the other end is app/python/easyserve_frames.py.
 *
 * A frame is a header of 12 bytes, a head and a body:
 *
 *   u8 kind | u8 flags | u16 unused | u32 bytes of the head | u32 bytes of the body    (big endian)
 *
 * front -> gateway
 *   request           head: environ names and values in turn, joined by NUL, latin-1   body: the request's body
 *   requestSpooled    the same; body: path of the file that holds the request's body
 *   requestStreamed   the same; the body follows in `body` frames, an empty one ends it
 *   fileOpened, fileRefused    the answer to `file`
 *
 * gateway -> front
 *   hello    the thread waits for its first request; head: its number, over TCP followed by NUL and the gateway's half of the
 *            secret (PeerProof in gateway-connection)
 *   whole    status line, header names and values joined by NUL; body: all of it. Ends the request.
 *   start    the same, with the first piece of the body
 *   piece    more of the body
 *   end      ends a request that began with `start` or `file`
 *   abort    the application raised in mid-answer: the client must see a cut. Ends the request.
 *   failed   the application raised before its answer. Ends the request.
 *   file     head as in `whole`; body: path, offset, length, device, inode joined by NUL
 *   idle     after an answer with the flag `staysBusy`: the thread is free now
 */
export const RequestKind = {
  request: 1,
  requestSpooled: 2,
  requestStreamed: 3,
  body: 4,
  fileOpened: 5,
  fileRefused: 6,
} as const;

export const AnswerKind = {
  hello: 1,
  whole: 2,
  start: 3,
  piece: 4,
  end: 5,
  abort: 6,
  file: 7,
  failed: 8,
  idle: 9,
} as const;

/** Flag of a request: the application runs in other processes too (`wsgi.multiprocess`). */
export const IS_MULTIPROCESS = 1;
/** Flag of an answer: the thread is still in close() and will say `idle`. */
export const STAYS_BUSY = 1;

const HEADER_BYTES = 12;
/** No application's headers come near this: bytes that announce a larger head are no frame. */
const MAX_HEAD_BYTES = 4 * 1024 * 1024;

/** Makes a frame of a latin-1 head and a body. */
export function encodeFrame(kind: number, flags: number, head: string, body?: Buffer): Buffer {
  const bodyBytes = body === undefined ? 0 : body.length;
  const frame = Buffer.allocUnsafe(HEADER_BYTES + head.length + bodyBytes);
  frame.writeUInt32BE(((kind << 24) | (flags << 16)) >>> 0, 0);
  frame.writeUInt32BE(head.length, 4);
  frame.writeUInt32BE(bodyBytes, 8);
  frame.write(head, HEADER_BYTES, 'latin1');
  if (body !== undefined) body.copy(frame, HEADER_BYTES + head.length);
  return frame;
}

/** Receives the frames of one connection, in pieces: a body is never gathered. */
export interface FrameSink {
  /** The header and head of a frame; `bodyBytes` are still to come. */
  onHead(kind: number, flags: number, head: string, bodyBytes: number): void;
  /** Some of the body, of which `bytesLeft` are still to come. Not called for an empty body. */
  onBody(piece: Buffer, bytesLeft: number): void;
}

/** Cuts the byte stream of a connection into frames. */
export class FrameReader {
  readonly #sink: FrameSink;
  /** The beginning of a frame whose header and head are not whole yet. */
  #partial: Buffer | undefined;
  #bodyBytesLeft = 0;

  constructor(sink: FrameSink) {
    this.#sink = sink;
  }

  /** Throws on bytes that are no frame. */
  push(received: Buffer): void {
    let chunk = received;
    if (this.#partial !== undefined) {
      chunk = Buffer.concat([this.#partial, chunk]);
      this.#partial = undefined;
    }
    let at = 0;
    while (at < chunk.length) {
      at = this.#bodyBytesLeft > 0 ? this.#readBody(chunk, at) : this.#readHead(chunk, at);
      if (at < 0) return;
    }
  }

  // Private

  #readBody(chunk: Buffer, at: number): number {
    const end = Math.min(chunk.length, at + this.#bodyBytesLeft);
    this.#bodyBytesLeft -= end - at;
    this.#sink.onBody(
      at === 0 && end === chunk.length ? chunk : chunk.subarray(at, end),
      this.#bodyBytesLeft,
    );
    return end;
  }

  #readHead(chunk: Buffer, at: number): number {
    if (chunk.length - at < HEADER_BYTES) return this.#keep(chunk, at);
    const headBytes = chunk.readUInt32BE(at + 4);
    if (headBytes > MAX_HEAD_BYTES) throw new Error(`a head of ${headBytes} bytes`);
    const headEnd = at + HEADER_BYTES + headBytes;
    if (chunk.length < headEnd) return this.#keep(chunk, at);
    const kind = chunk[at] as number;
    const flags = chunk[at + 1] as number;
    this.#bodyBytesLeft = chunk.readUInt32BE(at + 8);
    this.#sink.onHead(kind, flags, chunk.toString('latin1', at + HEADER_BYTES, headEnd), this.#bodyBytesLeft);
    return headEnd;
  }

  #keep(chunk: Buffer, at: number): number {
    this.#partial = chunk.subarray(at);
    return -1;
  }
}
