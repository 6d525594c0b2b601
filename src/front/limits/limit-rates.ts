import type { Clock } from '../../contracts/clock.js';
import { Episode } from '../../log/episode.js';
import type { Log } from '../../log/log.js';
import { type RateRule, readRateRule } from '../../settings/rate-rule.js';
import type { Settings } from '../../settings/settings.js';
import { answerHandlerFailure, respondWithErrorPage } from '../error-page.js';
import type { Exchange, Handler } from '../exchange.js';
import { addressKey } from './address-key.js';
import type { RateCounter } from './token-buckets.js';

export interface RateLimitOptions {
  readonly settings: Pick<Settings, 'rateLimits'>;
  readonly counter: RateCounter;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Answers 429 to a client that asks more often than the rules allow; everything else goes on to `rest`, perhaps a little later,
 * because the count may lie in another process. No handler where there are no rules.
 */
export function limitRates(options: RateLimitOptions, rest: readonly Handler[]): readonly Handler[] {
  const { settings, log } = options;
  const rules = [settings.rateLimits]
    .flat()
    .map(readRateRule)
    .filter((rule) => rule !== undefined);
  if (rules.length === 0) return rest;
  const limiter = new RateLimiter(options, rules);
  const handle: Handler = (exchange) => {
    const matching = exchange.client.isProxy ? [] : limiter.match(exchange);
    if (matching.length === 0) return false;
    limiter
      .admit(exchange, matching)
      .then((isAdmitted) => {
        if (isAdmitted && !exchange.response.destroyed) rest.some((handler) => handler(exchange));
      })
      .catch((error: unknown) => answerHandlerFailure(exchange, error, log));
    return true;
  };
  return [handle, ...rest];
}

// Private

class RateLimiter {
  readonly #counter: RateCounter;
  readonly #rules: readonly RateRule[];
  readonly #episodes: ReadonlyMap<RateRule, Episode>;

  constructor({ counter, clock, log }: RateLimitOptions, rules: readonly RateRule[]) {
    this.#counter = counter;
    this.#rules = rules;
    this.#episodes = new Map(
      rules.map((rule) => [
        rule,
        new Episode(
          clock,
          () => log.warn('rate-limited', 'a client asks too often: it gets a 429', { rule: rule.text }),
          (times) =>
            log.info('rate-limit-over', 'nobody asks too often any more', { rule: rule.text, times }),
        ),
      ]),
    );
  }

  match({ method, path }: Exchange): readonly RateRule[] {
    const forms = pathForms(path);
    return this.#rules.filter(
      (rule) =>
        (rule.methods === undefined || rule.methods.includes(method)) &&
        forms.some((form) => rule.isMeant(form)),
    );
  }

  /** Answers the request where it may not go on. */
  async admit(exchange: Exchange, rules: readonly RateRule[]): Promise<boolean> {
    const client = addressKey(exchange.client.address);
    for (const rule of rules) {
      const { text, perSecond, burst } = rule;
      const waitMs = await this.#counter.take({ key: `${client} ${text}`, perSecond, burst });
      if (waitMs === 0) continue;
      this.#episodes.get(rule)?.happen();
      if (!exchange.response.destroyed) refuse(exchange, waitMs);
      return false;
    }
    return true;
  }
}

function refuse(exchange: Exchange, waitMs: number): void {
  respondWithErrorPage(exchange, 429, 'You have asked for this too often. Please wait a little.', {
    headers: ['Retry-After', String(Math.ceil(waitMs / 1000))],
    drainsRequest: true,
  });
}

/** As applications may read it: `/a%2Fb//../login` can be what they know as `/login`. */
function pathForms(path: string): readonly string[] {
  const decoded = decode(path);
  const merged = decoded.replace(/\/{2,}/g, '/');
  const segments: string[] = [];
  for (const segment of merged.split('/')) {
    if (segment === '..') segments.pop();
    else if (segment !== '.') segments.push(segment);
  }
  return [...new Set([decoded, merged, `/${segments.join('/').replace(/^\//, '')}`])];
}

function decode(path: string): string {
  return path.replace(/(?:%[0-9a-f]{2})+/gi, (escaped) =>
    Buffer.from(escaped.replaceAll('%', ''), 'hex').toString('utf8'),
  );
}
