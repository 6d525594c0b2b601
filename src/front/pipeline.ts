import type { Log } from '../log/log.js';
import type { Settings } from '../settings/settings.js';
import type { Dispatcher } from '../upstream.js';
import { serveApplication } from './application.js';
import type { Handler } from './exchange.js';
import { type ServedFolder, serveFolder } from './media.js';
import { serveStatic } from './static/serve-static.js';
import type { StaticTable } from './static/static-table.js';
import type { AppRequest } from './upstream/app-request.js';
import type { BodySpool } from './upstream/request-body.js';

export interface PipelineOptions {
  readonly settings: Settings;
  readonly staticTable: StaticTable | undefined;
  readonly folders: readonly ServedFolder[];
  readonly dispatcher: Dispatcher<AppRequest>;
  readonly spool: BodySpool;
  readonly log: Log;
}

/**
 * What happens to a request, in this order; the first handler that takes it answers it. Called by Site for each release.
 *
 * Before all of them Front has given the exchange its id and found out the client; after, it writes the access log.
 */
export function buildPipeline(options: PipelineOptions): readonly Handler[] {
  return [
    // Here is the place of the ACME challenge, the host check and the redirect to HTTPS.
    ...(options.staticTable === undefined ? [] : [serveStatic(options.staticTable, options.log)]),
    ...options.folders.map((folder) => serveFolder(folder, options.log)),
    serveApplication(options),
  ];
}
