import { randomBytes } from 'node:crypto';

const GIVEN = /^[A-Za-z0-9._-]{1,64}$/;

/** Ids of requests: unique without a random draw for each; one object a front. */
export class RequestIds {
  readonly #prefix = randomBytes(5).toString('hex');
  #count = 0;

  /** `given`: what a trusted proxy calls this request already; taken over where it is harmless in a log. */
  next(given?: string | string[]): string {
    if (typeof given === 'string' && GIVEN.test(given)) return given;
    this.#count += 1;
    return `${this.#prefix}-${this.#count.toString(36)}`;
  }
}
