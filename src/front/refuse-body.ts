import type { Log } from '../log/log.js';
import type { Settings } from '../settings/settings.js';
import { respondWithErrorPage } from './error-page.js';
import type { Exchange, RespondOptions } from './exchange.js';
import type { BodyRefused } from './upstream/request-body.js';

export interface RefusalOptions {
  readonly settings: Settings;
  readonly log: Log;
}

/** Answers a request whose body is not taken, and ends its connection. */
export function refuseBody(exchange: Exchange, refusal: BodyRefused, options: RefusalOptions): void {
  const refuse = (status: number, sentence: string, options?: RespondOptions) =>
    respondWithErrorPage(exchange, status, sentence, { headers: ['Connection', 'close'], ...options });
  switch (refusal.reason) {
    case 'cut':
      return; // nobody is left to tell
    case 'too-slow':
      refuse(408, 'Your request came in too slowly.');
      return;
    case 'too-large':
      refuse(413, `What you sent is larger than this site accepts (${describeLimit(options.settings)}).`, {
        drainsRequest: true,
      });
      return;
    case 'no-space':
      options.log.error('spool-failed', 'a request body could not be written to the spool folder', {
        requestId: exchange.id,
        error: String(refusal.cause),
      });
      refuse(507, 'The site has no room for what you sent.', { drainsRequest: true });
  }
}

// Private

function describeLimit({ maxBodyBytes }: Settings): string {
  const kibibytes = Math.floor(maxBodyBytes / 1024);
  return kibibytes < 1024 ? `${kibibytes} KiB` : `${Math.floor(kibibytes / 1024)} MiB`;
}
