import type { Log } from '../../log/log.js';
import { respondWithErrorPage } from '../error-page.js';
import type { Exchange, HeaderList } from '../exchange.js';
import { parseByteRange } from './byte-ranges.js';
import { evaluatePreconditions, isRangeFresh } from './conditional.js';
import { respondToFileError } from './file-refusals.js';
import { respondFromFile } from './regular-file.js';
import type { StaticBodies, StaticContent } from './static-bodies.js';
import type { Representation, StaticFile } from './static-file.js';

/** The answer to one request for a file that is there. Used by serveStatic and serveSite. */
export class StaticAnswer {
  readonly #exchange: Exchange;
  readonly #file: StaticFile;
  readonly #bodies: StaticBodies;
  readonly #log: Log;

  constructor(exchange: Exchange, file: StaticFile, bodies: StaticBodies, log: Log) {
    this.#exchange = exchange;
    this.#file = file;
    this.#bodies = bodies;
    this.#log = log;
  }

  give(): void {
    const { headers } = this.#exchange.request;
    const { identity, modifiedMs, disk } = this.#file;
    // RFC 9110 section 14.2: Range means something for GET only. It is answered from the identity, whatever
    // the client accepts: media players and resumed downloads count the bytes of the file.
    const range = this.#exchange.method === 'GET' ? headers.range : undefined;
    const isPart =
      range !== undefined &&
      isRangeFresh(headers, identity.etag, modifiedMs) &&
      parseByteRange(range, disk.size) !== 'whole';
    const chosen = isPart ? identity : this.#file.choose(headers['accept-encoding']);
    if (this.#isSettled(chosen)) return;
    if (isPart) {
      this.#fetch(identity, (content) => this.#sendPart(content, range));
    } else if (chosen.body === undefined) {
      this.#fetch(chosen, (content) => this.#sendWhole(content));
    } else {
      chosen.wasUsed = true;
      this.#exchange.respond(200, chosen.headers, chosen.body);
    }
  }

  // Private

  /** Answers 304 or 412 where the preconditions say so. */
  #isSettled({ etag, notModifiedHeaders }: Representation): boolean {
    const outcome = evaluatePreconditions(this.#exchange.request.headers, etag, this.#file.modifiedMs);
    if (outcome === 'not-modified') this.#exchange.respond(304, notModifiedHeaders);
    if (outcome === 'failed') respondWithErrorPage(this.#exchange, 412, 'This file has changed since.');
    return outcome !== 'proceed';
  }

  #fetch(representation: Representation, send: (content: StaticContent) => Promise<void>): void {
    this.#bodies
      .fetch(this.#file, representation)
      .then(send)
      .catch((error: unknown) => respondToFileError(this.#exchange, error, this.#log));
  }

  #sendWhole(content: StaticContent): Promise<void> {
    return this.#send(200, content.representation.headers, content, 0, content.size);
  }

  async #sendPart(content: StaticContent, range: string): Promise<void> {
    const { representation, size, body } = content;
    const part = parseByteRange(range, size);
    // Changed on disk since the range was judged: what was asked for is a part of something else.
    if (part === 'whole' || representation !== this.#file.identity) return this.#sendWhole(content);
    if (part !== 'unsatisfiable') {
      const contentRange = ['Content-Range', `bytes ${part.start}-${part.end}/${size}`];
      const length = part.end - part.start + 1;
      return this.#send(206, [...representation.headers, ...contentRange], content, part.start, length);
    }
    if (!Buffer.isBuffer(body)) await body.close();
    const sentence = 'The file has no such part.';
    respondWithErrorPage(this.#exchange, 416, sentence, ['Content-Range', `bytes */${size}`]);
  }

  async #send(
    status: number,
    headers: HeaderList,
    { body }: StaticContent,
    start: number,
    length: number,
  ): Promise<void> {
    if (!Buffer.isBuffer(body)) {
      return respondFromFile(this.#exchange, status, headers, { handle: body, start, length });
    }
    if (this.#exchange.response.destroyed) return;
    this.#exchange.respond(status, headers, body.subarray(start, start + length));
  }
}
