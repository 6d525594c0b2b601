import { createWriteStream, type WriteStream } from 'node:fs';
import { unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Log } from '../../log/log.js';
import type { Settings } from '../../settings/settings.js';
import type { ClientRequest } from '../client-message.js';

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
    };

/** Why a body was not read. `cut`: the client went away, or its connection failed. */
export type BodyRefusal = 'too-large' | 'too-slow' | 'cut' | 'no-space';

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

/** Files for bodies that are too large for memory; one object for each site. An instance empties the folder as it starts. */
export class BodySpool {
  readonly #folder: string;
  readonly #log: Log;
  #count = 0;

  constructor(folder: string, log: Log) {
    this.#folder = folder;
    this.#log = log;
  }

  nextPath(): string {
    this.#count += 1;
    return join(this.#folder, `${process.pid}-${this.#count}`);
  }

  /** Removes the file of a body, if it has one; the gateway removes it as soon as it has opened it. */
  async release(body: RequestBody): Promise<void> {
    if (body.kind === 'spooled') await this.remove(body.path);
  }

  async remove(path: string): Promise<void> {
    try {
      await unlink(path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
      this.#log.error('spool-not-removed', 'a spooled request body could not be removed', {
        path,
        error: String(error),
      });
    }
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
  spool: BodySpool,
): Promise<RequestBody> {
  const reading = new BodyReading(request, limits, spool);
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
  readonly #spool: BodySpool;
  readonly #pieces: Buffer[] = [];
  #length = 0;
  #isRefused = false;
  #file: WriteStream | undefined;
  #resolve!: (body: RequestBody) => void;
  #reject!: (refusal: BodyRefused) => void;

  constructor(request: ClientRequest, limits: BodyLimits, spool: BodySpool) {
    this.#request = request;
    this.#limits = limits;
    this.#spool = spool;
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
    if (file === undefined) this.#reject(refusal);
    else {
      // An error of the file itself arrives here too; 'close' follows in every case.
      file.once('close', () => void this.#spool.remove(String(file.path)).then(() => this.#reject(refusal)));
      file.destroy();
    }
  }

  readonly #onData = (piece: Buffer): void => {
    this.#length += piece.length;
    if (this.#length > this.#limits.maxBodyBytes) this.refuse(new BodyRefused('too-large'));
    else if (this.#file !== undefined) this.#write(piece);
    else {
      this.#pieces.push(piece);
      if (this.#length > this.#limits.bodyMemoryBytes) this.#openFile();
    }
  };

  readonly #onEnd = (): void => {
    this.#detach();
    const file = this.#file;
    const length = this.#length;
    if (file === undefined) {
      const [first] = this.#pieces;
      const bytes = this.#pieces.length === 1 && first ? first : Buffer.concat(this.#pieces, length);
      this.#resolve({ kind: 'memory', bytes });
      return;
    }
    file.once('finish', () => this.#resolve({ kind: 'spooled', path: String(file.path), length }));
    file.end();
  };

  readonly #onClose = (cause?: unknown): void => this.refuse(new BodyRefused('cut', cause));

  #openFile(): void {
    const file = createWriteStream(this.#spool.nextPath(), { flags: 'wx', mode: 0o600 });
    file.on('error', (error) => this.refuse(new BodyRefused('no-space', error)));
    this.#file = file;
    for (const piece of this.#pieces) this.#write(piece);
    this.#pieces.length = 0;
  }

  #write(piece: Buffer): void {
    const file = this.#file as WriteStream;
    if (file.write(piece) || this.#request.isPaused()) return;
    this.#request.pause();
    file.once('drain', () => this.#request.resume());
  }

  #detach(): void {
    this.#request.off('data', this.#onData).off('end', this.#onEnd).off('close', this.#onClose);
    this.#request.off('error', this.#onClose);
  }
}
