import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { AnswerKind, encodeFrame, FrameReader, RequestKind } from '../../src/front/upstream/frames.js';
import { makeFileTree } from './file-tree.js';
import { withDeadline } from './with-deadline.js';

/** A frame that the front sent. */
export interface ReceivedFrame {
  readonly thread: FakeThread;
  readonly kind: number;
  readonly flags: number;
  readonly environ: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

type AnswerName = keyof typeof AnswerKind;

/** One connection of the front, as a thread of gateway.py has it; it says and does only what the test tells it. */
export class FakeThread {
  readonly socket: Socket;
  isClosed = false;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('error', () => {});
    socket.once('close', () => {
      this.isClosed = true;
    });
  }

  /** False when the front does not take any more for now. */
  send(kind: AnswerName, head = '', body: Buffer | string = '', flags = 0): boolean {
    const bytes = typeof body === 'string' ? Buffer.from(body, 'latin1') : body;
    return this.socket.write(encodeFrame(AnswerKind[kind], flags, head, bytes));
  }

  /** A whole answer. */
  answer(body: Buffer | string = 'ok', ...headers: readonly string[]): void {
    this.send('whole', ['200 OK', ...headers].join('\0'), body);
  }

  /** The thread's process ends. */
  die(): void {
    this.socket.destroy();
  }

  async closed(): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      if (this.isClosed) resolve();
      else this.socket.once('close', () => resolve());
    });
    await withDeadline(closed, 10_000, () => 'the front did not close the connection');
  }
}

/** The other end of GatewayClient, on a real Unix socket. */
export class FakeGateway {
  readonly path: string;
  readonly threads: FakeThread[] = [];
  readonly frames: ReceivedFrame[] = [];
  /** Whether threads say hello by themselves. */
  saysHello = true;
  readonly #server: Server;
  #taken = 0;
  #wake: () => void = () => {};

  private constructor(path: string) {
    this.path = path;
    this.#server = createServer((socket) => this.#accept(socket));
  }

  static async listen(t: TestContext): Promise<FakeGateway> {
    const gateway = new FakeGateway(join(await makeFileTree(t, {}), 'app.sock'));
    gateway.#server.listen(gateway.path);
    await once(gateway.#server, 'listening');
    t.after(() => gateway.close());
    return gateway;
  }

  /** Ends like a process: nobody listens, and every connection is closed. */
  close(): void {
    this.#server.close();
    for (const thread of this.threads) thread.die();
  }

  thread(index: number): FakeThread {
    const thread = this.threads[index];
    if (thread === undefined) throw new Error(`only ${this.threads.length} connections have come`);
    return thread;
  }

  /** Resolves when so many connections have come in all. */
  async connected(count: number): Promise<FakeThread> {
    await this.#until(
      () => this.threads.length >= count,
      () => `${this.threads.length} of ${count} connections`,
    );
    return this.thread(count - 1);
  }

  /** The next frame of the front, each once. */
  async nextFrame(): Promise<ReceivedFrame> {
    const index = this.#taken;
    this.#taken += 1;
    await this.#until(
      () => this.frames.length > index,
      () => `${this.frames.length} frames`,
    );
    return this.frames[index] as ReceivedFrame;
  }

  #accept(socket: Socket): void {
    const thread = new FakeThread(socket);
    let frame: { kind: number; flags: number; head: string; pieces: Buffer[] };
    const finish = (): void => {
      const { kind, flags, head, pieces } = frame;
      const environ = kind <= RequestKind.requestStreamed ? readEnviron(head) : {};
      this.frames.push({ thread, kind, flags, environ, body: Buffer.concat(pieces) });
      this.#wake();
    };
    const reader = new FrameReader({
      onHead: (kind, flags, head, bodyBytes) => {
        frame = { kind, flags, head, pieces: [] };
        if (bodyBytes === 0) finish();
      },
      onBody: (piece, bytesLeft) => {
        frame.pieces.push(Buffer.from(piece));
        if (bytesLeft === 0) finish();
      },
    });
    socket.on('data', (chunk) => reader.push(chunk));
    this.threads.push(thread);
    if (this.saysHello) thread.send('hello', String(this.threads.length - 1));
    this.#wake();
  }

  async #until(isReached: () => boolean, describe: () => string): Promise<void> {
    const reached = new Promise<void>((resolve) => {
      this.#wake = () => {
        if (isReached()) resolve();
      };
      this.#wake();
    });
    await withDeadline(reached, 10_000, describe);
  }
}

function readEnviron(head: string): Record<string, string> {
  const fields = head.split('\0');
  return Object.fromEntries(
    fields.flatMap((name, at) => (at % 2 === 0 ? [[name, fields[at + 1] ?? '']] : [])),
  );
}
