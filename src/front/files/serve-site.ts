import type { Log } from '../../log/log.js';
import { settingsFileNames } from '../../settings/settings-file.js';
import type { Exchange, Handler, HeaderList } from '../exchange.js';
import { answerFile, respondWithContent } from './answer-file.js';
import {
  refuseMethod,
  respondToBadPath,
  respondToFileError,
  respondWithMissingPage,
} from './file-refusals.js';
import type { LiveFolder } from './live-folder.js';
import { StaticFile } from './static-file.js';
import { decodeUrlPath } from './url-path.js';
import { isLeftOut } from './walk-folder.js';

/** A folder of files that is the whole site. */
export interface ServedSite {
  readonly folder: LiveFolder;
  /** Path below the folder; answers what has no file. */
  readonly fallback: string | undefined;
}

const INDEX = 'index.html';
const MISSING_PAGE = '404.html';

/**
 * Serves a folder of files as a site: `index.html` for folders, `/guide` sent on to `/guide/`, the fallback of a single-page
 * application, `404.html`. The last handler of the pipeline, in the application's place.
 */
export function serveSite(site: ServedSite, log: Log): Handler {
  return (exchange) => {
    if (refuseMethod(exchange)) return true;
    new SiteAnswer(exchange, site, log)
      .give()
      .catch((error: unknown) => respondToFileError(exchange, error, log));
    return true;
  };
}

// Private

class SiteAnswer {
  readonly #exchange: Exchange;
  readonly #site: ServedSite;
  readonly #log: Log;

  constructor(exchange: Exchange, site: ServedSite, log: Log) {
    this.#exchange = exchange;
    this.#site = site;
    this.#log = log;
  }

  async give(): Promise<void> {
    const { path } = this.#exchange;
    const isFolder = path.endsWith('/');
    // A slash at the end is no part of a name; decodeUrlPath would refuse it.
    const decoded = path === '/' ? '/' : decodeUrlPath(isFolder ? path.slice(0, -1) : path);
    if (decoded === 400) respondToBadPath(this.#exchange, 400);
    else if (decoded === 404 || isReserved(decoded.slice(1))) await this.#giveMissingPage();
    else if (isFolder) await this.#giveFile(join(decoded.slice(1), INDEX));
    else await this.#giveNamed(decoded.slice(1));
  }

  // Private

  async #giveNamed(below: string): Promise<void> {
    const found = await this.#site.folder.find(below);
    const isSentOn = found === 'folder' && (await this.#findFile(join(below, INDEX))) !== undefined;
    if (isSentOn) this.#sendOn(below);
    else await this.#giveFound(found);
  }

  async #giveFile(below: string): Promise<void> {
    await this.#giveFound(await this.#site.folder.find(below));
  }

  async #giveFound(found: StaticFile | 'folder' | undefined): Promise<void> {
    if (found instanceof StaticFile) this.#send(found);
    else {
      const fallback = await this.#findFallback();
      if (fallback === undefined) await this.#giveMissingPage();
      else this.#send(fallback);
    }
  }

  async #findFile(below: string): Promise<StaticFile | undefined> {
    const found = await this.#site.folder.find(below);
    return found instanceof StaticFile ? found : undefined;
  }

  async #findFallback(): Promise<StaticFile | undefined> {
    const { fallback } = this.#site;
    if (fallback === undefined || !acceptsPages(this.#exchange.request.headers.accept)) return undefined;
    return this.#findFile(fallback);
  }

  #send(file: StaticFile): void {
    if (this.#exchange.response.destroyed) return; // the client has gone meanwhile
    answerFile(this.#exchange, file, this.#site.folder.bodies, this.#log);
  }

  /** So that relative links in the folder's index work. Encoded anew: nothing of what the client sent can end up as another host. */
  #sendOn(below: string): void {
    const { query } = this.#exchange;
    const path = below.split('/').map(encodeURIComponent).join('/');
    const location = `/${path}/${query === '' ? '' : `?${query}`}`;
    this.#exchange.respond(301, ['Location', location, 'Cache-Control', 'no-cache']);
  }

  async #giveMissingPage(): Promise<void> {
    const page = await this.#findFile(MISSING_PAGE);
    if (page === undefined) {
      respondWithMissingPage(this.#exchange);
      return;
    }
    const chosen = page.choose(this.#exchange.request.headers['accept-encoding']);
    const content = await this.#site.folder.bodies.fetch(page, chosen);
    const headers = withoutValidators(content.representation.headers);
    await respondWithContent(this.#exchange, 404, headers, content);
  }
}

function join(below: string, name: string): string {
  return below === '' ? name : `${below}/${name}`;
}

const settingsFiles = new Set(settingsFileNames);

/**
 * Hidden names, easyserve's own settings, and packages: they lie in such folders, and are nobody's business. In small
 * letters too, for some file systems take them for the same.
 */
function isReserved(below: string): boolean {
  const name = below.toLowerCase();
  return isLeftOut(below) || settingsFiles.has(name) || name.split('/').includes('node_modules');
}

/** A page in place of a picture helps nobody. What a client accepts without saying is everything (RFC 9110 section 12.5.1). */
function acceptsPages(accept: string | undefined): boolean {
  return accept === undefined || /text\/html|text\/\*|\*\/\*/i.test(accept);
}

/** Of the page as a file, not of the address that is missing: nothing may be revalidated or taken in parts. */
function withoutValidators(headers: HeaderList): string[] {
  const kept: string[] = [];
  for (let at = 0; at < headers.length; at += 2) {
    const name = headers[at] as string;
    if (!['ETag', 'Last-Modified', 'Accept-Ranges'].includes(name))
      kept.push(name, headers[at + 1] as string);
  }
  return kept;
}
