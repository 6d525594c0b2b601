import { connect, type Socket } from 'node:net';
import { AnswerKind, encodeFrame, FrameReader, type FrameSink, RequestKind, STAYS_BUSY } from './frames.js';
import type { RequestBody } from './request-body.js';
import { UploadStream } from './upload-stream.js';

/** A file that the application hands over instead of reading it (wsgi.file_wrapper). */
export interface FileTarget {
  readonly path: string;
  readonly offset: number;
  readonly length: number;
  readonly device: number;
  readonly inode: number;
}

/** Takes the answer to one request, in the order of the protocol (frames.ts). */
export interface AnswerSink {
  readonly hasStarted: boolean;
  /** A complete answer. */
  whole(head: string, body: Buffer): void;
  /** Pieces follow; `bodyBytes` where their sum is known. */
  start(head: string, bodyBytes: number | undefined): void;
  /** False: enough for now, go on when onceDrained calls back. */
  write(piece: Buffer): boolean;
  onceDrained(callback: () => void): void;
  end(): void;
  /** The answer broke off: the client must see that. */
  abort(): void;
  /** The application raised before its answer. */
  refuse(): void;
  /** True once the file is open; false when the application has to read it itself. */
  file(head: string, target: FileTarget): Promise<boolean>;
}

/** What a connection can carry: a client's request (AppRequest), or a probe (ProbeRequest). */
export interface GatewayRequest {
  readonly body: RequestBody;
  readonly writer: AnswerSink;
  readonly isAbandoned: boolean;
  onAbandoned: (() => void) | undefined;
  encode(isMultiprocess: boolean): Buffer;
  /** The client has stopped in the middle of a streamed body. */
  stallUpload(): void;
}

/** What a connection tells the client that it belongs to (GatewayClient). */
export interface ConnectionOwner<R extends GatewayRequest> {
  /** The thread has come into service, and waits for its first request. */
  onHello(connection: GatewayConnection<R>): void;
  /** The thread waits for the next request. */
  onIdle(connection: GatewayConnection<R>): void;
  /** The request's answer is complete, or will never be. */
  onFinished(connection: GatewayConnection<R>): void;
  /** Closed without our doing; `lost` had no byte of an answer yet. */
  onBroken(connection: GatewayConnection<R>, lost: R | undefined): void;
  /** Closed because the client left in mid-answer: connect again. */
  onReleased(connection: GatewayConnection<R>): void;
  /** Could not connect. */
  onRefused(connection: GatewayConnection<R>, error: Error): void;
  onProtocolError(connection: GatewayConnection<R>, error: Error): void;
  now(): number;
}

/**
 * One persistent connection to one thread of a gateway: at most one request at a time.
 *
 * Made by GatewayClient, which decides what to do when it ends; the answer goes to the request's AnswerWriter.
 */
export class GatewayConnection<R extends GatewayRequest> implements FrameSink {
  readonly #owner: ConnectionOwner<R>;
  readonly #socket: Socket;
  readonly #reader: FrameReader = new FrameReader(this);
  #request: R | undefined;
  #kind = 0;
  #answerHead = '';
  #hasAnswer = false;
  #staysBusy = false;
  #isClosedByUs = false;
  #isOpen = false;
  #filePieces: Buffer[] = [];
  #upload: UploadStream | undefined;
  thread = -1;
  startedAtMs = 0;

  constructor(path: string, owner: ConnectionOwner<R>) {
    this.#owner = owner;
    this.#socket = connect({ path });
    this.#socket.on('data', (chunk) => this.#onData(chunk));
    this.#socket.on('error', (error) => this.#onError(error));
    this.#socket.on('close', () => this.#onClose());
  }

  /** The request that occupies the thread. */
  get request(): R | undefined {
    return this.#request;
  }

  send(request: R, isMultiprocess: boolean): void {
    this.#request = request;
    this.#hasAnswer = false;
    this.startedAtMs = this.#owner.now();
    request.onAbandoned = () => this.#onAbandoned();
    this.#socket.write(request.encode(isMultiprocess));
    if (request.body.kind === 'streamed') {
      this.#upload = new UploadStream(request.body, this.#socket, () => request.stallUpload());
    }
  }

  /** Closes for good; the owner is not called back. */
  close(): void {
    this.#isClosedByUs = true;
    this.#socket.destroy();
  }

  onHead(kind: number, flags: number, head: string, bodyBytes: number): void {
    this.#kind = kind;
    switch (kind) {
      case AnswerKind.hello:
        this.#isOpen = true;
        this.thread = Number(head);
        this.#owner.onHello(this);
        return;
      case AnswerKind.whole:
        this.#staysBusy = flags === STAYS_BUSY;
        this.#answerHead = head;
        if (bodyBytes === 0) this.#finish((request) => request.writer.whole(head, Buffer.alloc(0)));
        return;
      case AnswerKind.start:
        this.#hasAnswer = true;
        this.#answer((request) => request.writer.start(head, undefined));
        return;
      case AnswerKind.file:
        this.#answerHead = head;
        return;
      case AnswerKind.end:
        this.#staysBusy = flags === STAYS_BUSY;
        this.#finish((request) => request.writer.end());
        return;
      case AnswerKind.abort:
        this.#finish((request) => request.writer.abort());
        return;
      case AnswerKind.failed:
        this.#finish((request) => request.writer.refuse());
        return;
      case AnswerKind.idle:
        this.#owner.onIdle(this);
        return;
      case AnswerKind.piece:
        return;
      default:
        throw new Error(`answer of unknown kind ${kind}`);
    }
  }

  onBody(piece: Buffer, isLast: boolean): void {
    switch (this.#kind) {
      case AnswerKind.whole:
        this.#onWholeBody(piece, isLast);
        return;
      case AnswerKind.start:
      case AnswerKind.piece:
        this.#answer((request) => this.#write(request, piece));
        return;
      case AnswerKind.file:
        this.#filePieces.push(piece);
        if (isLast) void this.#openFile();
        return;
      default:
        throw new Error(`a body with an answer of kind ${this.#kind}`);
    }
  }

  // Private

  #onData(chunk: Buffer): void {
    try {
      this.#reader.push(chunk);
    } catch (error) {
      this.#owner.onProtocolError(this, error as Error);
      this.#socket.destroy();
    }
    // The client left while this answer was awaited, and now it goes on and on, perhaps without end.
    if (this.#hasAnswer && this.#request?.isAbandoned) this.#socket.destroy();
  }

  /** A body that came in one piece with its head, the usual case, leaves in one write. */
  #onWholeBody(piece: Buffer, isLast: boolean): void {
    if (!this.#hasAnswer && isLast) {
      this.#finish((request) => request.writer.whole(this.#answerHead, piece));
      return;
    }
    if (!this.#hasAnswer) {
      this.#hasAnswer = true;
      this.#answer((request) => request.writer.start(this.#answerHead, this.#wholeBytes(piece)));
    }
    this.#answer((request) => this.#write(request, piece));
    if (isLast) this.#finish((request) => request.writer.end());
  }

  #wholeBytes(piece: Buffer): number {
    return piece.length + this.#reader.bodyBytesLeft;
  }

  #write(request: R, piece: Buffer): void {
    if (request.writer.write(piece)) return;
    this.#socket.pause();
    request.writer.onceDrained(() => this.#socket.resume());
  }

  async #openFile(): Promise<void> {
    const [path, offset, length, device, inode] = Buffer.concat(this.#filePieces)
      .toString('utf8')
      .split('\0');
    this.#filePieces = [];
    const request = this.#request;
    if (request === undefined) return;
    const isOpen =
      request.isAbandoned ||
      (await request.writer.file(this.#answerHead, {
        path: path as string,
        offset: Number(offset),
        length: Number(length),
        device: Number(device),
        inode: Number(inode),
      }));
    this.#socket.write(encodeFrame(isOpen ? RequestKind.fileOpened : RequestKind.fileRefused, 0, ''));
  }

  #answer(act: (request: R) => void): void {
    const request = this.#request;
    if (request !== undefined && !request.isAbandoned) act(request);
  }

  #finish(act: (request: R) => void): void {
    const request = this.#request;
    if (request === undefined) throw new Error('an answer without a request');
    this.#upload?.stop();
    this.#upload = undefined;
    request.onAbandoned = undefined;
    this.#request = undefined;
    if (!request.isAbandoned) act(request);
    this.#socket.resume();
    this.#owner.onFinished(this);
    if (this.#staysBusy) this.#staysBusy = false;
    else this.#owner.onIdle(this);
  }

  /** An answer that has begun is dropped by closing; one that has not is awaited, for the thread is busy until then. */
  #onAbandoned(): void {
    if (this.#hasAnswer || this.#upload !== undefined) this.#socket.destroy();
  }

  #onError(error: Error): void {
    if (!this.#isOpen && !this.#isClosedByUs) {
      this.#isClosedByUs = true;
      this.#owner.onRefused(this, error);
    }
  }

  #onClose(): void {
    if (this.#isClosedByUs) return;
    const request = this.#request;
    this.#request = undefined;
    this.#upload?.stop();
    if (request !== undefined) {
      request.onAbandoned = undefined;
      this.#owner.onFinished(this);
    }
    if (request?.isAbandoned) this.#owner.onReleased(this);
    else {
      if (this.#hasAnswer) request?.writer.abort();
      this.#owner.onBroken(this, this.#hasAnswer ? undefined : request);
    }
  }
}
