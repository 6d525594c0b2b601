import { constants, type ServerHttp2Session } from 'node:http2';
import type { Socket } from 'node:net';
import type { Clock } from '../../../contracts/clock.js';
import type { Http2Response } from './http2-response.js';

/**
 * What uploads of one connection may have on the way: with Node's 64 KiB a distant client would wait for our WINDOW_UPDATE all
 * the time.
 */
const UPLOAD_WINDOW_BYTES = 1024 * 1024;
/** How long a client may take for its first request when the site stops, and to close its side when it has been told to. */
const LEAVE_MS = 1000;
const RESETS_WITHIN_MS = 30_000;

export interface Http2ConnectionOptions {
  readonly session: ServerHttp2Session;
  readonly socket: Socket;
  readonly clock: Clock;
  readonly idleTimeoutMs: () => number;
  /**
   * Requests that may end without their answers in a while, because the client takes them back or makes us reset them: by default more
   * than any browser has under way when it leaves a page, and less than what makes nghttp2 fall silent.
   */
  readonly maxResets: () => number;
}

/**
 * How long one connection of HTTP/2 lives.
 *
 * It ends when it has had no request for `idleTimeoutMs`, whatever else the client sends, or when the last of its answers was cut
 * because the client took too little of it (SlowReaders); not while the application is at work.
 */
export class Http2Connection {
  readonly #options: Http2ConnectionOptions;
  readonly #answers = new Set<Http2Response>();
  #resets = 0;
  #countedSinceMs = 0;
  #hasBegun = false;
  #isDraining = false;
  #isLeaving = false;
  #cancelCheck: () => void = () => {};
  #cancelLeave: () => void = () => {};

  constructor(options: Http2ConnectionOptions) {
    this.#options = options;
    const { session, socket } = options;
    // While the handshake was under way the client may have gone.
    if (!session.destroyed) session.setLocalWindowSize(UPLOAD_WINDOW_BYTES);
    socket.once('close', () => {
      this.#cancelCheck();
      this.#cancelLeave();
    });
    this.#checkLater();
  }

  add(answer: Http2Response): void {
    this.#hasBegun = true;
    this.#answers.add(answer);
    if (this.#isDraining) this.leave();
    answer.once('close', () => {
      this.#answers.delete(answer);
      if (!answer.writableFinished) this.countReset();
      if (this.#answers.size > 0) return;
      if (answer.wasStalled) this.destroy();
      if (this.#isLeaving) this.#cutLater();
      else this.#checkLater();
    });
  }

  /** A request has ended without its answer. */
  countReset(): void {
    const { session, clock } = this.#options;
    if (clock.now() - this.#countedSinceMs > RESETS_WITHIN_MS) {
      this.#countedSinceMs = clock.now();
      this.#resets = 0;
    }
    this.#resets += 1;
    if (this.#resets > this.#options.maxResets()) {
      session.destroy(new Error('too many requests were reset'), constants.NGHTTP2_ENHANCE_YOUR_CALM);
    }
  }

  /**
   * Ends it when all has been answered. The client is told the number of the last request that was taken, so that it sends later
   * ones again (GOAWAY, RFC 9113 section 6.8): nghttp2 can warn before that, but Node cannot ask it to. One that has just been
   * made gets a moment for its first request, because the client takes the connection as a promise.
   */
  drain(): void {
    this.#isDraining = true;
    if (this.#hasBegun) this.leave();
    else {
      this.#cancelCheck();
      this.#cancelCheck = this.#options.clock.after(LEAVE_MS, () => this.leave());
    }
  }

  /** Ends it when the requests that were taken have their answers. */
  leave(): void {
    if (this.#isLeaving) return;
    this.#isLeaving = true;
    this.#cancelCheck();
    this.#options.session.close();
    if (this.#answers.size === 0) this.#cutLater();
  }

  /** Cuts it. */
  destroy(): void {
    this.#options.session.destroy();
    this.#options.socket.destroy();
  }

  // Private

  #checkLater(): void {
    this.#cancelCheck();
    if (this.#isLeaving) return;
    this.#cancelCheck = this.#options.clock.after(this.#options.idleTimeoutMs(), () => this.#check());
  }

  #check(): void {
    if (this.#answers.size === 0) this.leave();
    else this.#checkLater();
  }

  /** Node waits for the client to close its side, which it may never do. */
  #cutLater(): void {
    this.#cancelLeave();
    this.#cancelLeave = this.#options.clock.after(LEAVE_MS, () => {
      if (this.#answers.size === 0) this.destroy();
    });
  }
}
