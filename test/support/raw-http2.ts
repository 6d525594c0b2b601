import type { TLSSocket } from 'node:tls';
import { withDeadline } from './with-deadline.js';

/** RFC 9113 section 6. */
export const frameType = {
  data: 0,
  headers: 1,
  reset: 3,
  settings: 4,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;

export const endStream = 1;
export const endHeaders = 4;
const ACK = 1;
const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';

export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

export function encodeFrame(
  type: number,
  flags: number,
  stream: number,
  payload: Uint8Array = Buffer.alloc(0),
): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** HPACK without its table and without Huffman codes (RFC 7541 section 6.2.2). */
export function encodeFields(fields: readonly (readonly [name: string, value: string])[]): Buffer {
  return Buffer.concat(
    fields.flatMap(([name, value]) => [Buffer.from([0]), encodeText(name), encodeText(value)]),
  );
}

function encodeText(text: string): Buffer {
  const bytes = Buffer.from(text, 'latin1');
  const length = [];
  if (bytes.length < 127) length.push(bytes.length);
  else {
    length.push(127);
    let rest = bytes.length - 127;
    for (; rest >= 128; rest = Math.floor(rest / 128)) length.push((rest % 128) + 128);
    length.push(rest);
  }
  return Buffer.concat([Buffer.from(length), bytes]);
}

export function getFields(path = '/', ...more: readonly (readonly [string, string])[]): Buffer {
  return encodeFields([
    [':method', 'GET'],
    [':scheme', 'https'],
    [':authority', 'localhost'],
    [':path', path],
    ...more,
  ]);
}

/** A connection of HTTP/2 for what no client would send: every frame is the test's own. */
export class RawHttp2 {
  readonly socket: TLSSocket;
  readonly frames: Frame[] = [];
  #rest = Buffer.alloc(0);
  #isOver = false;
  readonly #waiting = new Set<() => void>();

  private constructor(socket: TLSSocket) {
    this.socket = socket;
    socket.on('data', (piece) => this.#take(piece));
    socket.on('error', () => {}); // 'close' follows
    for (const event of ['end', 'close'] as const) {
      socket.on(event, () => {
        this.#isOver = true;
        this.#wake();
      });
    }
  }

  static async begin(socket: TLSSocket): Promise<RawHttp2> {
    const raw = new RawHttp2(socket);
    socket.write(PREFACE);
    raw.send(frameType.settings, 0, 0);
    await raw.until((frame) => frame.type === frameType.settings && frame.flags === 0);
    raw.send(frameType.settings, ACK, 0);
    return raw;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** False when the server takes no more for now. */
  send(type: number, flags: number, stream: number, payload?: Uint8Array): boolean {
    return this.socket.write(encodeFrame(type, flags, stream, payload));
  }

  /** A whole GET. */
  get(stream: number, path?: string, ...more: readonly (readonly [string, string])[]): void {
    this.send(frameType.headers, endStream | endHeaders, stream, getFields(path, ...more));
  }

  /** The first such frame, of those that have come too; rejects when the connection is over before. */
  async until(isWanted: (frame: Frame) => boolean): Promise<Frame> {
    await this.#until(() => this.#isOver || this.frames.some(isWanted), 'no such frame');
    const found = this.frames.find(isWanted);
    if (found === undefined) throw new Error(`the connection was over before; ${this.#describe()}`);
    return found;
  }

  /** Resolves when the server has closed the connection. */
  async ended(): Promise<void> {
    await this.#until(() => this.#isOver, 'the server did not end the connection');
  }

  /** What the server said with its last GOAWAY (RFC 9113 section 7). */
  get goawayCode(): number | undefined {
    return this.frames.findLast(({ type }) => type === frameType.goaway)?.payload.readUInt32BE(4);
  }

  #take(piece: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, piece]);
    while (this.#rest.length >= 9) {
      const end = 9 + this.#rest.readUIntBE(0, 3);
      if (this.#rest.length < end) break;
      this.frames.push({
        type: this.#rest.readUInt8(3),
        flags: this.#rest.readUInt8(4),
        stream: this.#rest.readUInt32BE(5) & 0x7fffffff,
        payload: Buffer.from(this.#rest.subarray(9, end)),
      });
      this.#rest = this.#rest.subarray(end);
    }
    this.#wake();
  }

  #wake(): void {
    for (const look of this.#waiting) look();
  }

  async #until(isReached: () => boolean, describe: string): Promise<void> {
    const reached = new Promise<void>((resolve) => {
      const look = (): void => {
        if (!isReached()) return;
        this.#waiting.delete(look);
        resolve();
      };
      this.#waiting.add(look);
      look();
    });
    await withDeadline(reached, 20_000, () => `${describe}; ${this.#describe()}`);
  }

  #describe(): string {
    return `received ${this.frames
      .map(({ type, stream }) => `${type}/${stream}`)
      .join(' ')
      .slice(-500)}`;
  }
}
