import { randomBytes } from 'node:crypto';
import type { Clock } from '../contracts/clock.js';

/** The length that tls.Server.setTicketKeys takes: 16 of name, 16 of HMAC, 16 of AES (Node doc). */
const keyBytes = 48;
const dayMs = 86_400_000;

/**
 * The keys that session tickets are encrypted with; whoever has them can read resumed TLS 1.2
 * sessions. So they are never written to a disk, and replaced every day.
 *
 * One set for all workers, so that one resumes the sessions of another. Node keeps no earlier set beside the new
 * one: a ticket from before the rotation (they are good for two hours, front/listen/tls/cipher-policy) is not accepted, and its client
 * makes a full handshake. Nothing fails.
 */
export class TicketKeys {
  #current = makeTicketKeys();
  readonly #cancel: () => void;

  /** `onRotated` is called after each rotation, to hand the new keys to every site. */
  constructor(options: {
    readonly clock: Clock;
    readonly onRotated: (ticketKeys: string) => void;
    readonly rotateEveryMs?: number;
  }) {
    this.#cancel = options.clock.every(options.rotateEveryMs ?? dayMs, () => {
      this.#current = makeTicketKeys();
      options.onRotated(this.#current);
    });
  }

  /** base64, as TlsMaterial has it. */
  get current(): string {
    return this.#current;
  }

  stop(): void {
    this.#cancel();
  }
}

export function makeTicketKeys(): string {
  return randomBytes(keyBytes).toString('base64');
}
