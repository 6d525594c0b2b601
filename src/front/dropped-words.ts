import type { Log } from '../log/log.js';
import { isPrivate } from './client-facts.js';
import type { ClientRequest } from './client-message.js';
import type { ClientFacts } from './exchange.js';

/**
 * Says once that a proxy's X-Forwarded-Proto is not believed, and by which setting it would be: behind a proxy that does TLS the
 * application else redirects to https without an end, and refuses forms. Twice where the first sender was somebody of the
 * internet, who may have made it up: the proxy of a private network is named then too.
 */
export class DroppedWords {
  readonly #log: Log;
  #wasNearNamed = false;
  #wasFarNamed = false;

  constructor(log: Log) {
    this.#log = log;
  }

  look({ headers }: ClientRequest, { address, isPeerTrusted }: ClientFacts): void {
    if (isPeerTrusted || this.#wasNearNamed || headers['x-forwarded-proto'] === undefined) return;
    const isNear = isPrivate(address);
    if (!isNear && this.#wasFarNamed) return;
    this.#wasNearNamed = isNear;
    this.#wasFarNamed = true;
    this.#log.warn(
      'proxy-not-trusted',
      `X-Forwarded-Proto from ${address} is dropped, because that address is not among trustedProxies`,
      { client: address, hint: `if it is your proxy: trustedProxies = ["${address}"]` },
    );
  }
}
