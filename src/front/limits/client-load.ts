import type { Clock } from '../../contracts/clock.js';
import { Episode } from '../../log/episode.js';
import type { Log } from '../../log/log.js';
import type { Settings } from '../../settings/settings.js';
import { respondWithErrorPage } from '../error-page.js';
import type { Exchange, Handler } from '../exchange.js';
import { announcedBytes } from '../upstream/request-body.js';
import { addressKey } from './address-key.js';

export type ClientLoadSettings = Pick<Settings, 'maxRequestsPerAddress' | 'maxUploadsPerAddress'>;

/** What the clients of one front have under way at the application, so that none of them takes all of its places. */
export class ClientLoad {
  readonly #requests = new Map<string, number>();
  readonly #uploads = new Map<string, number>();
  readonly #refusals: Episode;

  constructor(clock: Clock, log: Log) {
    this.#refusals = new Episode(
      clock,
      () => log.warn('client-limited', 'a client has too many requests or uploads under way: more get a 503'),
      (times) =>
        log.info('client-limit-over', 'no client has too many requests under way any more', { times }),
    );
  }

  /**
   * The handler before the application: counts what goes there, and refuses what is too much of one address. A trusted proxy that
   * names nobody else is not counted, because everybody may stand behind it.
   */
  limit(settings: ClientLoadSettings): Handler {
    const { maxRequestsPerAddress, maxUploadsPerAddress } = settings;
    return (exchange) => {
      if (exchange.client.isProxy) return false;
      const key = addressKey(exchange.client.address);
      const hasBody = !exchange.isUpgrade && announcedBytes(exchange.request) !== 0;
      const isTooMuch =
        isFull(this.#requests, key, maxRequestsPerAddress) ||
        (hasBody && isFull(this.#uploads, key, maxUploadsPerAddress));
      if (isTooMuch) {
        this.#refusals.happen();
        refuse(exchange);
        return true;
      }
      const endRequest = count(this.#requests, key);
      const endUpload = hasBody ? count(this.#uploads, key) : () => {};
      exchange.request.once('end', endUpload);
      exchange.response.once('close', () => {
        endUpload();
        endRequest();
      });
      return false;
    };
  }
}

// Private

function isFull(counts: ReadonlyMap<string, number>, key: string, limit: number): boolean {
  return limit > 0 && (counts.get(key) ?? 0) >= limit;
}

/** The answer takes it back, once. */
function count(counts: Map<string, number>, key: string): () => void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
  let isOver = false;
  return () => {
    if (isOver) return;
    isOver = true;
    const left = (counts.get(key) ?? 1) - 1;
    if (left === 0) counts.delete(key);
    else counts.set(key, left);
  };
}

function refuse(exchange: Exchange): void {
  const sentence = 'Too many requests from your address are under way. Please try again in a moment.';
  respondWithErrorPage(exchange, 503, sentence, {
    headers: ['Retry-After', '1', 'Connection', 'close'],
    drainsRequest: true,
  });
}
