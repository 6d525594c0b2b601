import type { TokenRequest } from '../front/limits/token-buckets.js';
import type { TakeMessage, TakenMessage } from './messages.js';

/** A worker's questions to the primary, which counts what rate limits limit. */
export class TokenQuestions {
  readonly #send: (message: TakeMessage) => void;
  readonly #waiting = new Map<number, (waitMs: number) => void>();
  #lastId = 0;

  constructor(send: (message: TakeMessage) => void) {
    this.#send = send;
  }

  /** The answer may never come. */
  ask(request: TokenRequest): Promise<number> {
    this.#lastId += 1;
    const id = this.#lastId;
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve);
      this.#send({ kind: 'take', id, request });
    });
  }

  settle({ id, waitMs }: TakenMessage): void {
    this.#waiting.get(id)?.(waitMs);
    this.#waiting.delete(id);
  }
}
