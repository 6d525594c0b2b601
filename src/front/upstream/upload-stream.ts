import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { encodeFrame, RequestKind } from './frames.js';
import type { RequestBody } from './request-body.js';

/**
 * Passes a request body on to the gateway as it arrives, for the paths of the setting `streamUploads`.
 *
 * Made by GatewayConnection for one request. Back-pressure goes from the application to the client: a full Unix
 * socket pauses the request. A client that pauses for too long by itself would hold the thread: `onStalled` is called.
 */
export class UploadStream {
  readonly #source: IncomingMessage;
  readonly #idleTimeoutMs: number;
  readonly #target: Socket;
  readonly #onStalled: () => void;

  constructor(body: RequestBody & { kind: 'streamed' }, target: Socket, onStalled: () => void) {
    this.#source = body.source;
    this.#idleTimeoutMs = body.idleTimeoutMs;
    this.#target = target;
    this.#onStalled = onStalled;
    this.#source.on('data', this.#onData).on('end', this.#onEnd).on('timeout', this.#onStalled);
    this.#source.setTimeout(this.#idleTimeoutMs);
  }

  /** The answer is complete: what still arrives is read and dropped, so that the client gets to read the answer. */
  stop(): void {
    this.#source.off('data', this.#onData).off('end', this.#onEnd).off('timeout', this.#onStalled);
    this.#target.off('drain', this.#onDrain);
    this.#source.setTimeout(0);
    this.#source.resume();
  }

  // Private

  readonly #onData = (piece: Buffer): void => {
    if (this.#target.write(encodeFrame(RequestKind.body, 0, '', piece))) return;
    // Now it is the application that keeps the client waiting.
    this.#source.setTimeout(0);
    this.#source.pause();
    this.#target.once('drain', this.#onDrain);
  };

  readonly #onDrain = (): void => {
    this.#source.setTimeout(this.#idleTimeoutMs);
    this.#source.resume();
  };

  readonly #onEnd = (): void => {
    this.#source.setTimeout(0);
    this.#target.write(encodeFrame(RequestKind.body, 0, ''));
  };
}
