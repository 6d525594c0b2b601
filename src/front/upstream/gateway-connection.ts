import { connect, type Socket } from 'node:net';
import type { UpstreamAddress } from '../../contracts/upstream.js';
import { AnswerKind, encodeFrame, FrameReader, type FrameSink, RequestKind, STAYS_BUSY } from './frames.js';
import type { GatewayRequest } from './gateway-request.js';
import { type Proof, proofOf } from './proof.js';
import { UploadStream, type UploadTarget } from './upload-stream.js';

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
  readonly #proof: Proof | undefined;
  #request: R | undefined;
  #kind = 0;
  #answerHead = '';
  #hasAnswer = false;
  /** The front sends the file that this answer is made of. */
  #hasFile = false;
  /** The thread says `idle` after this answer. */
  #staysBusy = false;
  /** It has been answered, and the thread is in close(). */
  #isClosing = false;
  /** Nothing is read until the client has taken more. */
  #isHeld = false;
  #isClosedByUs = false;
  #isOpen = false;
  #filePieces: Buffer[] = [];
  #upload: UploadStream | undefined;
  thread = -1;
  startedAtMs = 0;

  constructor(address: UpstreamAddress, owner: ConnectionOwner<R>) {
    this.#owner = owner;
    this.#socket = connect(address.place);
    // A frame of several writes must not wait for what Nagle's algorithm waits for.
    this.#socket.setNoDelay(true);
    this.#proof = address.secret === undefined ? undefined : proofOf(address.secret);
    if (this.#proof !== undefined) this.#socket.write(this.#proof.shown);
    this.#socket.on('data', (chunk) => this.#onData(chunk));
    this.#socket.on('error', (error) => this.#onError(error));
    this.#socket.on('close', () => this.#onClose());
  }

  readonly #uploadTarget: UploadTarget = {
    write: (piece) => this.#socket.write(encodeFrame(RequestKind.body, 0, '', piece)),
    onceDrained: (callback) => this.#socket.once('drain', callback),
    end: () => this.#socket.write(encodeFrame(RequestKind.body, 0, '')),
  };

  /** The request that occupies the thread. */
  get request(): R | undefined {
    return this.#request;
  }

  send(request: R, isMultiprocess: boolean): void {
    this.#request = request;
    this.#hasAnswer = false;
    this.#hasFile = false;
    this.startedAtMs = this.#owner.now();
    request.onAbandoned = () => this.#onAbandoned();
    this.#socket.write(request.encode(isMultiprocess));
    if (request.body.kind === 'streamed') {
      this.#upload = new UploadStream(request.body, this.#uploadTarget, (failure) =>
        request.breakOff(failure),
      );
    }
  }

  /** Closes for good; the owner is not called back. */
  close(): void {
    this.#isClosedByUs = true;
    this.#upload?.stop();
    this.#socket.destroy();
  }

  onHead(kind: number, flags: number, head: string, bodyBytes: number): void {
    if (!this.#isExpected(kind)) throw new Error(`an answer of kind ${kind}, out of turn`);
    this.#kind = kind;
    switch (kind) {
      case AnswerKind.hello:
        this.#onHello(head);
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
        this.#isClosing = false;
        this.#owner.onIdle(this);
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
        if (isLast) this.#openFile().catch((error: Error) => this.#breakOff(error));
        return;
      default:
        throw new Error(`a body with an answer of kind ${this.#kind}`);
    }
  }

  // Private

  #onHello(head: string): void {
    const [thread, shown = ''] = head.split('\0');
    if (this.#proof?.isShownBy(shown) === false) throw new Error('a hello without the secret');
    this.#isOpen = true;
    this.thread = Number(thread);
    this.#owner.onHello(this);
  }

  #onData(chunk: Buffer): void {
    try {
      this.#reader.push(chunk);
    } catch (error) {
      this.#breakOff(error as Error);
    }
    // The client left while this answer was awaited, and now it goes on and on, perhaps without end.
    if (this.#hasAnswer && this.#request?.isAbandoned) this.#socket.destroy();
  }

  /** The order of the protocol: anything else would mix up requests, or leave a client without an end. */
  #isExpected(kind: number): boolean {
    const isAsked = this.#request !== undefined;
    switch (kind) {
      case AnswerKind.hello:
        return !this.#isOpen;
      case AnswerKind.whole:
      case AnswerKind.start:
      case AnswerKind.file:
      case AnswerKind.failed:
        return isAsked && !this.#hasAnswer && !this.#hasFile;
      case AnswerKind.piece:
        return isAsked && this.#hasAnswer;
      case AnswerKind.end:
      case AnswerKind.abort:
        return isAsked && (this.#hasAnswer || this.#hasFile);
      case AnswerKind.idle:
        return this.#isClosing;
      default:
        return false;
    }
  }

  /** The thread can't be understood: it gets a new connection, where both begin anew. */
  #breakOff(error: Error): void {
    this.#owner.onProtocolError(this, error);
    this.#socket.destroy();
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
    // What has arrived already is written in any case, perhaps in many pieces.
    if (request.writer.write(piece) || this.#isHeld) return;
    this.#isHeld = true;
    this.#socket.pause();
    request.writer.onceDrained(() => {
      if (this.#request === request) this.#resume();
    });
  }

  #resume(): void {
    this.#isHeld = false;
    this.#socket.resume();
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
    this.#hasFile = isOpen;
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
    this.#owner.onFinished(this);
    if (!request.isAbandoned) act(request);
    this.#resume();
    this.#isClosing = this.#staysBusy;
    this.#staysBusy = false;
    if (!this.#isClosing) this.#owner.onIdle(this);
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
      // A file that is handed over is sent without the thread.
      this.#owner.onBroken(this, this.#hasAnswer || this.#hasFile ? undefined : request);
    }
  }
}
