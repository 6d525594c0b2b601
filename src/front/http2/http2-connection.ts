import { constants, type ServerHttp2Session } from 'node:http2';
import type { Socket } from 'node:net';
import type { Clock } from '../../clock.js';
import type { Http2Response } from './http2-response.js';

/** What uploads of one connection may have on the way: with Node's 64 KiB a distant client would wait for our word all the time. */
const UPLOAD_WINDOW_BYTES = 1024 * 1024;
/** How long a client may take to answer a ping, and to close its side when it has been told to. */
const LEAVE_MS = 1000;
/** The highest there can be: no request is given up yet (RFC 9113 section 6.8). */
const LAST_STREAM = 2 ** 31 - 1;

export interface Http2ConnectionOptions {
  readonly session: ServerHttp2Session;
  readonly socket: Socket;
  readonly clock: Clock;
  readonly idleTimeoutMs: () => number;
}

/**
 * How long one connection of HTTP/2 lives. Made by Http2Server, which tells it of each answer.
 *
 * It ends when it has had no request for `idleTimeoutMs`, whatever else the client sends, or when in that time a client has taken
 * nothing of the answers that wait for it; not while the application is at work.
 */
export class Http2Connection {
  readonly #options: Http2ConnectionOptions;
  readonly #answers = new Set<Http2Response>();
  /** Of answers that are over. */
  #takenBytes = 0;
  #takenBefore = 0;
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
    this.#answers.add(answer);
    answer.once('close', () => {
      this.#answers.delete(answer);
      this.#takenBytes += answer.takenBytes;
      if (this.#answers.size > 0) return;
      if (this.#isLeaving) this.#cutLater();
      else this.#checkLater();
    });
  }

  /**
   * Ends it when all has been answered. Requests that were sent before the client knew of it are taken: the first GOAWAY
   * gives none up, and the second comes when a ping shows that the client has read the first (RFC 9113 section 6.8).
   */
  drain(): void {
    const { session, clock } = this.#options;
    if (this.#isLeaving || session.closed || session.destroyed) return;
    session.goaway(constants.NGHTTP2_NO_ERROR, LAST_STREAM);
    this.#cancelCheck();
    this.#cancelCheck = clock.after(LEAVE_MS, () => this.#leave());
    session.ping(() => this.#leave());
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
    const taken = [...this.#answers].reduce((sum, answer) => sum + answer.takenBytes, this.#takenBytes);
    const isHeldUp = [...this.#answers].some((answer) => answer.isHeldUp);
    if (this.#answers.size === 0) this.#leave();
    else if (isHeldUp && taken === this.#takenBefore) this.destroy();
    else this.#checkLater();
    this.#takenBefore = taken;
  }

  #leave(): void {
    if (this.#isLeaving) return;
    this.#isLeaving = true;
    this.#cancelCheck();
    this.#options.session.close();
    if (this.#answers.size === 0) this.#cutLater();
  }

  /** Node waits for the client to close its side, which it may never do. */
  #cutLater(): void {
    this.#cancelLeave();
    this.#cancelLeave = this.#options.clock.after(LEAVE_MS, () => {
      if (this.#answers.size === 0) this.destroy();
    });
  }
}
