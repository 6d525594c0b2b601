import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { type ClientHttp2Session, connect as connectHttp2 } from 'node:http2';
import { connect, type Socket } from 'node:net';
import { answerOf } from './ask-http2.js';
import { findMixUp, makeNonceRequest, type NonceRequest, toWire } from './nonce-request.js';
import { ResponseParser, type WireResponse } from './response-parser.js';
import { WireConnection, WireFailure } from './wire-connection.js';

/** Answers of the front instead of the application's, while processes die or none is ready. */
const failures = new Set([502, 503, 504]);
const requestTimeoutMs = 30_000;

/**
 * Clients of every kind at once: kept connections, pipelining, HTTP/2, and those that go away in the middle. Each answer must
 * be the one that belongs to its request. Requests may fail: processes are killed meanwhile.
 */
export class NonceTraffic {
  /** What must never be: another request's answer, bytes behind an answer, an answer that is no HTTP. */
  readonly mixUps: string[] = [];
  readonly answered = { kept: 0, pipelined: 0, http2: 0 };
  #aborted = 0;
  #failed = 0;
  #isStopping = false;
  readonly #url: URL;
  readonly #secureUrl: string;

  constructor(url: string, secureUrl: string) {
    this.#url = new URL(url);
    this.#secureUrl = secureUrl;
  }

  /** Of each kind so many clients, until `act` has resolved. */
  async during(clients: number, act: () => Promise<void>): Promise<void> {
    const kinds = [this.#keep, this.#pipeline, this.#multiplex, this.#abort];
    const running = kinds.flatMap((kind) => Array.from({ length: clients }, () => kind.call(this)));
    try {
      await Promise.race([act(), Promise.all(running)]);
    } finally {
      this.#isStopping = true;
      await Promise.all(running);
    }
  }

  get summary(): string {
    return JSON.stringify({ ...this.answered, aborted: this.#aborted, failed: this.#failed });
  }

  get aborted(): number {
    return this.#aborted;
  }

  // Private

  async #keep(): Promise<void> {
    let connection: WireConnection | undefined;
    while (!this.#isStopping) {
      if (connection === undefined || !connection.isOpen) connection = this.#connect();
      const request = makeAnyRequest();
      try {
        const response = await connection.send(
          request.method,
          toWire(request, this.#url.host),
          requestTimeoutMs,
        );
        if (this.#check(request, response)) this.answered.kept += 1;
      } catch (error) {
        if (!(error instanceof WireFailure)) throw error;
        if (error.kind === 'body' || error.kind === 'timeout')
          this.mixUps.push(`${error.kind}: ${error.message}`);
        this.#failed += 1;
      }
    }
    connection?.close();
  }

  async #pipeline(): Promise<void> {
    while (!this.#isStopping) {
      const requests = Array.from({ length: 4 }, () => makeNonceRequest({ padBytes: randomInt(3_000) }));
      const socket = this.#openSocket();
      socket.write(Buffer.concat(requests.map((request) => toWire(request, this.#url.host))));
      const answers = await readAnswers(socket, requests.length);
      for (const [at, response] of answers.entries()) {
        if (this.#check(requests[at] as NonceRequest, response)) this.answered.pipelined += 1;
      }
      this.#failed += requests.length - answers.length;
      socket.destroy();
    }
  }

  async #multiplex(): Promise<void> {
    let session: ClientHttp2Session | undefined;
    while (!this.#isStopping) {
      if (session === undefined || session.closed || session.destroyed) {
        session = connectHttp2(this.#secureUrl, { rejectUnauthorized: false });
        session.on('error', () => {}); // the streams tell
      }
      const current = session;
      await Promise.all(Array.from({ length: 6 }, () => this.#askOver(current)));
    }
    session?.destroy();
  }

  async #askOver(session: ClientHttp2Session): Promise<void> {
    const request = makeAnyRequest();
    const isUpload = request.body.length > 0;
    const head = { ':path': request.target, ':method': request.method };
    const stream = session.request(head, { endStream: !isUpload });
    if (isUpload) stream.end(request.body);
    // One in six is given up; whatever comes of it is nobody's.
    if (randomInt(6) === 0) stream.close(8);
    const { status, headers, body, code } = await answerOf(stream);
    if (status === 0 || code !== 0) this.#failed += 1;
    else {
      const plain = new Map(Object.entries(headers).map(([name, value]) => [name, String(value)]));
      if (this.#check(request, { status, headers: plain, body })) this.answered.http2 += 1;
    }
  }

  /** Goes away at some moment: in the middle of its upload, before the answer, or within it. */
  async #abort(): Promise<void> {
    while (!this.#isStopping) {
      const request = makeNonceRequest({ bodyBytes: randomInt(1, 100_000), padBytes: 200_000 });
      const bytes = toWire(request, this.#url.host);
      const socket = this.#openSocket();
      const isWhole = randomInt(2) === 0;
      socket.write(isWhole ? bytes : bytes.subarray(0, randomInt(bytes.length)));
      if (isWhole && randomInt(2) === 0) await Promise.race([once(socket, 'data'), once(socket, 'close')]);
      for (let turn = randomInt(20); turn > 0; turn -= 1)
        await new Promise((resolve) => setImmediate(resolve));
      socket.resetAndDestroy();
      await new Promise<void>((resolve) =>
        socket.closed ? resolve() : socket.once('close', () => resolve()),
      );
      this.#aborted += 1;
    }
  }

  /** Whether the application has answered. */
  #check(request: NonceRequest, response: WireResponse): boolean {
    if (failures.has(response.status)) {
      this.#failed += 1;
      return false;
    }
    const mixUp = response.status === 200 ? findMixUp(request, response) : `status ${response.status}`;
    if (mixUp !== undefined) this.mixUps.push(mixUp);
    return mixUp === undefined;
  }

  #connect(): WireConnection {
    return new WireConnection({ host: this.#url.hostname, port: Number(this.#url.port) });
  }

  #openSocket(): Socket {
    const socket = connect(Number(this.#url.port), this.#url.hostname);
    socket.on('error', () => {}); // the close tells
    return socket;
  }
}

/** Small ones, uploads on both sides of what is kept in memory, and answers on both sides of one frame. */
function makeAnyRequest(): NonceRequest {
  const bodyBytes = [0, 0, 1, 700, 90_000][randomInt(5)] ?? 0;
  return makeNonceRequest({ bodyBytes, padBytes: [0, 500, 90_000][randomInt(3)] ?? 0 });
}

/** Those that came whole, in their order, until the connection ends. */
async function readAnswers(socket: Socket, count: number): Promise<WireResponse[]> {
  const answers: WireResponse[] = [];
  let parser = new ResponseParser('GET');
  try {
    for await (const piece of socket) {
      let rest = piece as Buffer;
      for (let whole = parser.push(rest); whole !== undefined; whole = parser.push(rest)) {
        answers.push(whole.response);
        if (answers.length === count) return answers;
        rest = rest.subarray(rest.length - whole.extraBytes);
        parser = new ResponseParser('GET');
      }
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === undefined) throw error;
  }
  return answers;
}
