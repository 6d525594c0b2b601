import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { encodeFrame, RequestKind } from './frames.js';

/**
 * Passes a request body on to the gateway as it arrives, for the paths of the setting `streamUploads`.
 *
 * Made by GatewayConnection for one request. Back-pressure goes from the application to the client: a full Unix
 * socket pauses the request.
 */
export class UploadStream {
  readonly #source: IncomingMessage;
  readonly #target: Socket;

  constructor(source: IncomingMessage, target: Socket) {
    this.#source = source;
    this.#target = target;
    source.on('data', this.#onData);
    source.on('end', this.#onEnd);
  }

  /** The answer is complete: what still arrives is read and dropped, so that the client gets to read the answer. */
  stop(): void {
    this.#source.off('data', this.#onData).off('end', this.#onEnd);
    this.#source.resume();
  }

  // Private

  readonly #onData = (piece: Buffer): void => {
    if (this.#target.write(encodeFrame(RequestKind.body, 0, '', piece))) return;
    this.#source.pause();
    this.#target.once('drain', () => this.#source.resume());
  };

  readonly #onEnd = (): void => {
    this.#target.write(encodeFrame(RequestKind.body, 0, ''));
  };
}
