import { createWriteStream, type WriteStream } from 'node:fs';
import type { Settings } from '../../settings/settings.js';
import type { Holding, Spool } from '../buffers/spool.js';
import type { ClientRequest } from '../client-message.js';
import type { BodyPace } from './body-pace.js';

/** A request's body as the front holds it for the application. */
export type RequestBody =
  | { readonly kind: 'none' }
  | { readonly kind: 'memory'; readonly bytes: Buffer }
  | { readonly kind: 'spooled'; readonly path: string; readonly length: number }
  | {
      readonly kind: 'streamed';
      readonly source: ClientRequest;
      /** Undefined for a chunked one. */
      readonly length: number | undefined;
      /** A chunked one that gets longer is cut. */
      readonly maxBytes: number;
      /** How long the client may pause. */
      readonly idleTimeoutMs: number;
      readonly pace: BodyPace;
    };

/** Why a body was not read. `cut`: the client went away, or its connection failed. `no-space`: the disk failed. */
export type BodyRefusal = 'too-large' | 'too-slow' | 'cut' | 'spool-full' | 'no-space';

export class BodyRefused extends Error {
  readonly reason: BodyRefusal;

  constructor(reason: BodyRefusal, cause?: unknown) {
    super(`request body refused: ${reason}`, { cause });
    this.reason = reason;
  }
}

export type BodyLimits = Pick<Settings, 'maxBodyBytes' | 'bodyMemoryBytes' | 'bodyIdleTimeoutMs'>;

/** Content-Length, or undefined for a chunked body; 0 where there is none (RFC 9112 section 6.3). */
export function announcedBytes(request: ClientRequest): number | undefined {
  const { headers } = request;
  if (headers['transfer-encoding'] !== undefined) return undefined;
  return headers['content-length'] === undefined ? 0 : Number(headers['content-length']);
}

/** The length that the application is told; undefined where the client announced no body, or a chunked one is streamed. */
export function knownBytes(body: RequestBody, request: ClientRequest): number | undefined {
  switch (body.kind) {
    case 'none':
      return request.headers['content-length'] === undefined ? undefined : 0;
    case 'memory':
      return body.bytes.length;
    default:
      return body.length;
  }
}

/**
 * Reads the whole body before an application thread is claimed, so that a slow upload holds none.
 *
 * Throws BodyRefused; the connection still stands then, for the answer, unless the reason is `cut`.
 */
export async function readBody(
  request: ClientRequest,
  limits: BodyLimits,
  { spool, pace }: { readonly spool: Spool; readonly pace: BodyPace },
): Promise<RequestBody> {
  const reading = new BodyReading(request, limits, spool, pace);
  request.setTimeout(limits.bodyIdleTimeoutMs, () => reading.refuse(new BodyRefused('too-slow')));
  try {
    return await reading.result;
  } finally {
    request.setTimeout(0);
  }
}

// Private

/** One body on its way in: into memory first, into a file when it grows. */
class BodyReading {
  readonly result: Promise<RequestBody>;
  readonly #request: ClientRequest;
  readonly #limits: BodyLimits;
  readonly #spool: Spool;
  readonly #pace: BodyPace;
  readonly #pieces: Buffer[] = [];
  /** Taken of the budget. */
  #memoryBytes = 0;
  #diskBytes = 0;
  #length = 0;
  #isRefused = false;
  #file: WriteStream | undefined;
  #resolve!: (body: RequestBody) => void;
  #reject!: (refusal: BodyRefused) => void;

  constructor(request: ClientRequest, limits: BodyLimits, spool: Spool, pace: BodyPace) {
    this.#request = request;
    this.#limits = limits;
    this.#spool = spool;
    this.#pace = pace;
    this.result = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    request
      .on('data', this.#onData)
      .on('end', this.#onEnd)
      .on('close', this.#onClose)
      .on('error', this.#onClose);
  }

  /** Only the first counts: a file that is given up may fail as well. */
  refuse(refusal: BodyRefused): void {
    if (this.#isRefused) return;
    this.#isRefused = true;
    this.#detach();
    this.#request.pause();
    const file = this.#file;
    if (file === undefined) this.#rejectWith(refusal);
    else {
      // An error of the file itself arrives here too; 'close' follows in every case.
      file.once(
        'close',
        () => void this.#spool.remove(String(file.path)).then(() => this.#rejectWith(refusal)),
      );
      file.destroy();
    }
  }

  #rejectWith(refusal: BodyRefused): void {
    this.#spool.giveBack(this.#holding);
    this.#reject(refusal);
  }

  get #holding(): Holding {
    return { memoryBytes: this.#memoryBytes, diskBytes: this.#diskBytes };
  }

  readonly #onData = (piece: Buffer): void => {
    this.#length += piece.length;
    this.#pace.add(piece.length);
    if (this.#length > this.#limits.maxBodyBytes) this.refuse(new BodyRefused('too-large'));
    else if (this.#pace.isTooSlow) this.refuse(new BodyRefused('too-slow'));
    else if (this.#file !== undefined) this.#write(piece);
    else if (this.#length <= this.#limits.bodyMemoryBytes && this.#spool.budget.takeMemory(piece.length)) {
      this.#memoryBytes += piece.length;
      this.#pieces.push(piece);
    } else this.#openFile(piece);
  };

  readonly #onEnd = (): void => {
    this.#detach();
    const file = this.#file;
    const length = this.#length;
    if (file === undefined) {
      const [first] = this.#pieces;
      const bytes = this.#pieces.length === 1 && first ? first : Buffer.concat(this.#pieces, length);
      this.#resolveWith({ kind: 'memory', bytes });
      return;
    }
    file.once('finish', () => this.#resolveWith({ kind: 'spooled', path: String(file.path), length }));
    file.end();
  };

  #resolveWith(body: RequestBody): void {
    this.#spool.hold(body, this.#holding);
    this.#resolve(body);
  }

  readonly #onClose = (cause?: unknown): void => this.refuse(new BodyRefused('cut', cause));

  #openFile(piece: Buffer): void {
    const file = createWriteStream(this.#spool.nextPath(), { flags: 'wx', mode: 0o600 });
    file.on('error', (error) => this.refuse(new BodyRefused('no-space', error)));
    this.#file = file;
    for (const each of [...this.#pieces.splice(0), piece]) this.#write(each);
    this.#spool.budget.releaseMemory(this.#memoryBytes);
    this.#memoryBytes = 0;
  }

  #write(piece: Buffer): void {
    if (this.#isRefused) return;
    if (!this.#spool.budget.takeDisk(piece.length)) {
      this.refuse(new BodyRefused('spool-full'));
      return;
    }
    this.#diskBytes += piece.length;
    const file = this.#file as WriteStream;
    if (file.write(piece) || this.#request.isPaused()) return;
    this.#request.pause();
    this.#pace.pause();
    file.once('drain', () => {
      this.#pace.resume();
      this.#request.resume();
    });
  }

  #detach(): void {
    this.#request.off('data', this.#onData).off('end', this.#onEnd).off('close', this.#onClose);
    this.#request.off('error', this.#onClose);
  }
}
