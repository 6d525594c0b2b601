import type { Clock } from '../contracts/clock.js';
import type { TlsMaterial } from '../contracts/tls-material.js';
import type { Dispatcher } from '../contracts/upstream.js';
import type { Log } from '../log/log.js';
import type { Settings } from '../settings/settings.js';
import { type ApplicationNeeds, serveApplication } from './application.js';
import type { Spool } from './buffers/spool.js';
import type { Handler } from './exchange.js';
import { type ServedFolder, serveFolder } from './files/serve-folder.js';
import { type ServedSite, serveSite } from './files/serve-site.js';
import { serveStatic } from './files/serve-static.js';
import type { StaticTable } from './files/static-table.js';
import { answerChallenge, applyHostPolicy } from './host-policy.js';
import type { ClientLoad } from './limits/client-load.js';
import { limitRates } from './limits/limit-rates.js';
import type { RateCounter } from './limits/token-buckets.js';
import { refuseOutside } from './mount-point.js';
import type { AppRequest } from './upstream/app-request.js';

export interface PipelineOptions {
  readonly needs: ApplicationNeeds;
  readonly settings: Settings;
  /** Undefined: HTTPS is off. */
  readonly tls: TlsMaterial | undefined;
  /** Host names that the application answers to, as in ALLOWED_HOSTS. */
  readonly names: readonly string[];
  readonly tables: readonly StaticTable[];
  readonly folders: readonly ServedFolder[];
  /** In the application's place. */
  readonly site: ServedSite | undefined;
  readonly clientLoad: ClientLoad;
  readonly rateCounter: RateCounter;
  readonly clock: Clock;
  readonly dispatcher: Dispatcher<AppRequest>;
  readonly spool: Spool;
  readonly log: Log;
}

/**
 * What happens to a request, in this order; the first handler that takes it answers it.
 *
 * Before them Front has given the exchange its id and found out who the client is; afterwards it writes the access log.
 */
export function buildPipeline(options: PipelineOptions): readonly Handler[] {
  return [
    ...checkHosts(options),
    ...limitRates({ ...options, counter: options.rateCounter }, [
      ...serveFiles(options),
      ...(options.site === undefined ? askApplication(options) : [serveSite(options.site, options.log)]),
    ]),
  ];
}

// Private

/** Certificate authorities ask before anything is redirected. */
function checkHosts({ tls, settings, names }: PipelineOptions): Handler[] {
  const challenges = tls === undefined ? [] : [answerChallenge(tls.httpChallenges)];
  return [...challenges, ...applyHostPolicy({ tls, settings, names })];
}

function askApplication(options: PipelineOptions): Handler[] {
  const { clientLoad, settings } = options;
  return [...refuseOutside(settings.scriptName), clientLoad.limit(settings), serveApplication(options)];
}

/** The longest prefix goes first, so that a folder may lie within another's. */
function serveFiles({ tables, folders, log }: PipelineOptions): Handler[] {
  return [
    ...tables.map((table) => ({ prefix: table.prefix, handle: serveStatic(table, log) })),
    ...folders.map((folder) => ({ prefix: folder.prefix, handle: serveFolder(folder, log) })),
  ]
    .sort((one, other) => other.prefix.length - one.prefix.length)
    .map(({ handle }) => handle);
}
