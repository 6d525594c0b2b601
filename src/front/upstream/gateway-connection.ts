import { timingSafeEqual } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import type { UpstreamAddress } from '../../contracts/upstream.js';
import { AnswerKind, encodeFrame, FrameReader, type FrameSink, RequestKind, STAYS_BUSY } from './frames.js';
import type { GatewayRequest, RequestCarrier } from './gateway-request.js';
import { UploadStream, type UploadTarget } from './upload-stream.js';

/** What a connection tells the client that it belongs to (GatewayClient). */
export interface ConnectionOwner<R extends GatewayRequest> {
  /** The thread has come into service, and waits for its first request. */
  onHello(connection: GatewayConnection<R>): void;
  /** The thread waits for the next request. */
  onIdle(connection: GatewayConnection<R>): void;
  /** The request's answer is complete, or will never be. */
  onFinished(connection: GatewayConnection<R>): void;
  /** Closed, and not by close(); the answer to `lost` isn't whole. */
  onBroken(connection: GatewayConnection<R>, lost: R | undefined): void;
  /** Closed, and the client has left; `ended`: the other end has closed while it still worked for it. Connect again. */
  onReleased(connection: GatewayConnection<R>, ended: R | undefined): void;
  /** Could not connect. */
  onRefused(connection: GatewayConnection<R>, error: Error): void;
  onProtocolError(connection: GatewayConnection<R>, error: Error): void;
  now(): number;
}

/** What a connection is in the middle of; `request` occupies the thread. */
type State<R extends GatewayRequest> =
  /** Before the hello; between two requests; the thread has answered, and is in close(); for good. */
  | { readonly name: 'connecting' | 'idle' | 'closing' | 'closed'; readonly request?: undefined }
  /** Nothing of the answer has come; the front is opening the file that it is made of; it sends that file. */
  | { readonly name: 'asked' | 'opening' | 'fileOpened'; readonly request: R }
  /** The frame's body is to come. */
  | { readonly name: 'whole'; readonly request: R; readonly head: string; readonly staysBusy: boolean }
  /** Pieces go to the client. Those of a `whole` frame end with its body, and then its flag counts. */
  | { readonly name: 'answering'; readonly request: R; readonly wholeStaysBusy: boolean | undefined }
  /** The frame's body, which names the file, is to come. */
  | { readonly name: 'file'; readonly request: R; readonly head: string; readonly pieces: Buffer[] };

/** The order of the protocol: any other frame would mix up requests, or leave a client without an end. */
const expected: Readonly<Record<State<GatewayRequest>['name'], readonly number[]>> = {
  connecting: [AnswerKind.hello],
  idle: [],
  asked: [AnswerKind.whole, AnswerKind.start, AnswerKind.file, AnswerKind.failed],
  whole: [],
  answering: [AnswerKind.piece, AnswerKind.end, AnswerKind.abort],
  file: [],
  opening: [],
  fileOpened: [AnswerKind.end, AnswerKind.abort],
  closing: [AnswerKind.idle],
  closed: [],
};

/**
 * One persistent connection to one thread of a gateway: at most one request at a time.
 *
 * GatewayClient decides what to do when it ends; the answer goes to the request's writer.
 */
export class GatewayConnection<R extends GatewayRequest> implements FrameSink, RequestCarrier {
  readonly #owner: ConnectionOwner<R>;
  readonly #socket: Socket;
  readonly #reader: FrameReader = new FrameReader(this);
  readonly #proof: PeerProof | undefined;
  #state: State<R> = { name: 'connecting' };
  #upload: UploadStream | undefined;
  /** The gateway's number of the thread; -1 until its hello. */
  thread = -1;
  /** Of the last request, in monotonic milliseconds. */
  startedAtMs = 0;

  constructor(address: UpstreamAddress, owner: ConnectionOwner<R>) {
    this.#owner = owner;
    this.#socket = connect(address.place);
    // A frame of several writes must not wait for what Nagle's algorithm waits for.
    this.#socket.setNoDelay(true);
    this.#proof = address.secret === undefined ? undefined : new PeerProof(address.secret);
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
    return this.#state.request;
  }

  send(request: R, options: { isMultiprocess: boolean }): void {
    this.#state = { name: 'asked', request };
    this.startedAtMs = this.#owner.now();
    request.attach(this);
    this.#socket.write(request.encode(options));
    if (request.body.kind === 'streamed') {
      this.#upload = new UploadStream(request.body, this.#uploadTarget, (failure) =>
        request.breakOff(failure),
      );
    }
  }

  /**
   * Closes for good, and returns the request whose answer isn't whole; the owner is not called back. A file that is handed over
   * is sent without the thread.
   */
  close(): R | undefined {
    const { name, request } = this.#state;
    this.#state = { name: 'closed' };
    this.#upload?.stop();
    this.#socket.destroy();
    return name === 'fileOpened' ? undefined : request;
  }

  /** An answer that has begun is dropped by closing; one that has not is awaited: the thread is busy until then. */
  onAbandoned(): void {
    if (this.#state.name === 'answering' || this.#upload !== undefined) this.#socket.destroy();
  }

  // FrameSink

  onHead(kind: number, flags: number, head: string, bodyBytes: number): void {
    if (this.#state.name === 'closed') return;
    if (!expected[this.#state.name].includes(kind)) throw new Error(`an answer of kind ${kind}, out of turn`);
    const staysBusy = flags === STAYS_BUSY;
    // All but `hello` and `idle` are expected only where there is a request.
    const request = this.#state.request as R;
    switch (kind) {
      case AnswerKind.hello:
        this.#onHello(head);
        return;
      case AnswerKind.whole:
        if (bodyBytes > 0) this.#state = { name: 'whole', request, head, staysBusy };
        else this.#finish(request, (writer) => writer.whole(head, Buffer.alloc(0)), { staysBusy });
        return;
      case AnswerKind.start:
        this.#state = { name: 'answering', request, wholeStaysBusy: undefined };
        if (!request.isAbandoned) request.writer.start(head, undefined);
        return;
      case AnswerKind.file:
        this.#state = { name: 'file', request, head, pieces: [] };
        return;
      case AnswerKind.end:
        this.#finish(request, (writer) => writer.end(), { staysBusy });
        return;
      case AnswerKind.abort:
        this.#finish(request, (writer) => writer.abort(), { staysBusy });
        return;
      case AnswerKind.failed:
        this.#finish(request, (writer) => writer.refuse(), { staysBusy });
        return;
      case AnswerKind.idle:
        this.#state = { name: 'idle' };
        this.#owner.onIdle(this);
    }
  }

  onBody(piece: Buffer, bytesLeft: number): void {
    const state = this.#state;
    switch (state.name) {
      case 'closed':
        return;
      case 'whole':
        this.#onWholeBody(state, piece, bytesLeft);
        return;
      case 'answering':
        this.#pass(state.request, piece);
        if (bytesLeft > 0 || state.wholeStaysBusy === undefined) return;
        this.#finish(state.request, (writer) => writer.end(), { staysBusy: state.wholeStaysBusy });
        return;
      case 'file':
        state.pieces.push(piece);
        if (bytesLeft === 0) this.#openFile(state).catch((error: Error) => this.#breakOff(error));
        return;
      default:
        throw new Error(`a body, out of turn (${state.name})`);
    }
  }

  // Private

  #onData(chunk: Buffer): void {
    try {
      this.#reader.push(chunk);
    } catch (error) {
      this.#breakOff(error as Error);
    }
    // The client left while this answer was awaited, and now it goes on and on, perhaps without end.
    if (this.#state.name === 'answering' && this.#state.request.isAbandoned) this.#socket.destroy();
  }

  #onHello(head: string): void {
    const [thread, shown = ''] = head.split('\0');
    if (this.#proof?.isShownBy(shown) === false) throw new Error('a hello without the secret');
    this.#state = { name: 'idle' };
    this.thread = Number(thread);
    this.#owner.onHello(this);
  }

  /** A body that came in one piece with its head, the usual case, leaves in one write. */
  #onWholeBody(state: State<R> & { name: 'whole' }, piece: Buffer, bytesLeft: number): void {
    const { request, head, staysBusy } = state;
    if (bytesLeft === 0) {
      this.#finish(request, (writer) => writer.whole(head, piece), { staysBusy });
      return;
    }
    this.#state = { name: 'answering', request, wholeStaysBusy: staysBusy };
    if (!request.isAbandoned) request.writer.start(head, piece.length + bytesLeft);
    this.#pass(request, piece);
  }

  #pass(request: R, piece: Buffer): void {
    // What has arrived already is written in any case, perhaps in many pieces.
    if (request.isAbandoned || request.writer.write(piece) || this.#socket.isPaused()) return;
    this.#socket.pause();
    request.writer.onceDrained(() => {
      if (this.#state.request === request) this.#socket.resume();
    });
  }

  async #openFile({ request, head, pieces }: State<R> & { name: 'file' }): Promise<void> {
    const opening: State<R> = { name: 'opening', request };
    this.#state = opening;
    const [path = '', ...numbers] = Buffer.concat(pieces).toString('utf8').split('\0');
    const [offset = 0, length = 0, device = 0, inode = 0] = numbers.map(Number);
    const isOpen =
      request.isAbandoned || (await request.writer.file(head, { path, offset, length, device, inode }));
    if (this.#state !== opening) return;
    this.#state = { name: isOpen ? 'fileOpened' : 'asked', request };
    this.#socket.write(encodeFrame(isOpen ? RequestKind.fileOpened : RequestKind.fileRefused, 0, ''));
  }

  #finish(request: R, act: (writer: R['writer']) => void, { staysBusy }: { staysBusy: boolean }): void {
    this.#upload?.stop();
    this.#upload = undefined;
    request.detach();
    this.#state = { name: staysBusy ? 'closing' : 'idle' };
    this.#owner.onFinished(this);
    if (!request.isAbandoned) act(request.writer);
    this.#socket.resume();
    if (!staysBusy) this.#owner.onIdle(this);
  }

  /** The thread can't be understood: it gets a new connection, where both begin anew. */
  #breakOff(error: Error): void {
    this.#owner.onProtocolError(this, error);
    this.#socket.destroy();
  }

  #onError(error: Error): void {
    if (this.#state.name !== 'connecting') return; // 'close' follows
    this.#state = { name: 'closed' };
    this.#owner.onRefused(this, error);
  }

  #onClose(): void {
    const { name, request } = this.#state;
    if (name === 'closed') return;
    this.#state = { name: 'closed' };
    this.#upload?.stop();
    if (request !== undefined) {
      request.detach();
      this.#owner.onFinished(this);
    }
    // Not by our hand: the thread has ended while it still worked on the request, and its process most likely with it.
    const hasEnded = this.#socket.readableEnded || this.#socket.errored !== null;
    if (request?.isAbandoned) this.#owner.onReleased(this, hasEnded ? request : undefined);
    // A file that is handed over is sent without the thread.
    else this.#owner.onBroken(this, name === 'fileOpened' ? undefined : request);
  }
}

// Private

/**
 * How both ends of a TCP connection to a gateway know each other: the front shows the first half of the secret as it
 * connects, the gateway the other half with its hello. Anyone on the machine may connect to a port, and whoever takes the
 * port of a process that has just ended would get the visitors' requests.
 *
 * A Unix socket has no secret: only this user can reach it.
 */
class PeerProof {
  /** Sent first. */
  readonly shown: string;
  readonly #expected: Buffer;

  constructor(secret: string) {
    const middle = secret.length / 2;
    this.shown = secret.slice(0, middle);
    this.#expected = Buffer.from(secret.slice(middle));
  }

  isShownBy(peer: string): boolean {
    const { length } = this.#expected;
    return peer.length === length && timingSafeEqual(Buffer.from(peer, 'latin1'), this.#expected);
  }
}
