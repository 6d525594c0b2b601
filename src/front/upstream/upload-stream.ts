import type { ClientRequest } from '../client-message.js';
import type { BodyPace } from './body-pace.js';
import type { RequestBody } from './request-body.js';

/** Where an upload goes: frames to a gateway, or a request to an HTTP server. */
export interface UploadTarget {
  /** False: enough for now. */
  write(piece: Buffer): boolean;
  onceDrained(callback: () => void): void;
  end(): void;
}

/** Why an upload is broken off. */
export type UploadFailure = 'upload-stalled' | 'upload-too-large';

/**
 * Passes a request body on to the application as it arrives: to a gateway for the paths of the setting `streamUploads`, to
 * an asynchronous server always.
 *
 * One for each request. Backpressure goes from the application to the client: a
 * full socket pauses the request. A client that pauses for too long by itself would hold the thread: that is a failure.
 */
export class UploadStream {
  readonly #source: ClientRequest;
  readonly #idleTimeoutMs: number;
  readonly #maxBytes: number;
  readonly #pace: BodyPace;
  readonly #target: UploadTarget;
  readonly #onFailed: (failure: UploadFailure) => void;
  #bytes = 0;
  #isStopped = false;

  constructor(
    body: RequestBody & { kind: 'streamed' },
    target: UploadTarget,
    onFailed: (failure: UploadFailure) => void,
  ) {
    this.#source = body.source;
    this.#idleTimeoutMs = body.idleTimeoutMs;
    this.#maxBytes = body.maxBytes;
    this.#pace = body.pace;
    // It may have waited for the application before.
    this.#pace.start();
    this.#target = target;
    this.#onFailed = onFailed;
    this.#source.on('data', this.#onData).on('end', this.#onEnd).on('timeout', this.#onTimeout);
    this.#source.setTimeout(this.#idleTimeoutMs);
  }

  /** The answer is complete: what still arrives is read and dropped, so that the client gets to read the answer. */
  stop(): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.#source.off('data', this.#onData).off('end', this.#onEnd).off('timeout', this.#onTimeout);
    // Another value is Node's, for the client's next request once the answer has left.
    if (this.#source.socket.timeout === this.#idleTimeoutMs) this.#source.setTimeout(0);
    this.#source.resume();
  }

  // Private

  readonly #onTimeout = (): void => this.#onFailed('upload-stalled');

  readonly #onData = (piece: Buffer): void => {
    this.#bytes += piece.length;
    if (this.#bytes > this.#maxBytes) {
      this.#onFailed('upload-too-large');
      return;
    }
    this.#pace.add(piece.length);
    if (this.#pace.isTooSlow) {
      this.#onFailed('upload-stalled');
      return;
    }
    if (this.#target.write(piece)) return;
    this.#pace.pause();
    // Now it is the application that keeps the client waiting.
    this.#source.setTimeout(0);
    this.#source.pause();
    this.#target.onceDrained(this.#onDrained);
  };

  readonly #onDrained = (): void => {
    if (this.#isStopped) return;
    this.#pace.resume();
    this.#source.setTimeout(this.#idleTimeoutMs);
    this.#source.resume();
  };

  readonly #onEnd = (): void => {
    this.#source.setTimeout(0);
    this.#target.end();
  };
}
