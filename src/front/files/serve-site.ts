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
  /** Path below the folder of the file that answers what has no file. */
  readonly fallback: string | undefined;
}

const INDEX = 'index.html';
const MISSING_PAGE = '404.html';

/**
 * Serves a folder of files as a site: `index.html` for folders, a redirect from `/guide` to `/guide/`, the fallback of a
 * single-page application, `404.html`. The last handler of the pipeline, in the application's place.
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
    if (decoded === 400) return respondToBadPath(this.#exchange, 400);
    const below = decoded === 404 ? undefined : decoded.slice(1);
    if (below === undefined || isReserved(below)) return this.#giveMissingPage();
    const found = await this.#site.folder.find(isFolder ? join(below, INDEX) : below);
    if (found === 'folder' && !isFolder && (await this.#findFile(join(below, INDEX)))) {
      return this.#redirectToFolder(below);
    }
    const file = found instanceof StaticFile ? found : await this.#findFallback();
    if (file === undefined) return this.#giveMissingPage();
    if (this.#exchange.response.destroyed) return; // the client has gone meanwhile
    answerFile(this.#exchange, file, this.#site.folder.bodies, this.#log);
  }

  // Private

  async #findFile(below: string): Promise<StaticFile | undefined> {
    const found = await this.#site.folder.find(below);
    return found instanceof StaticFile ? found : undefined;
  }

  async #findFallback(): Promise<StaticFile | undefined> {
    const { fallback } = this.#site;
    if (fallback === undefined || !acceptsPages(this.#exchange.request.headers.accept)) return undefined;
    return this.#findFile(fallback);
  }

  /**
   * So that relative links in the folder's index work. The path is encoded anew, so that nothing the client sent can become
   * another host.
   */
  #redirectToFolder(below: string): void {
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
 * Hidden names, easyserve's own settings, and packages: they lie in such folders, but are not for visitors. Compared in lower case,
 * because some file systems do not tell cases apart.
 */
function isReserved(below: string): boolean {
  const name = below.toLowerCase();
  return isLeftOut(below) || settingsFiles.has(name) || name.split('/').includes('node_modules');
}

/**
 * The fallback is a page, of no use to a client that wants a picture. No Accept header means anything (RFC 9110 section 12.5.1).
 */
function acceptsPages(accept: string | undefined): boolean {
  return accept === undefined || /text\/html|text\/\*|\*\/\*/i.test(accept);
}

/** Validators belong to the page as a file, not to the missing address: a 404 may not be revalidated or taken in parts. */
function withoutValidators(headers: HeaderList): string[] {
  const kept: string[] = [];
  for (let at = 0; at < headers.length; at += 2) {
    const name = headers[at] as string;
    if (!['ETag', 'Last-Modified', 'Accept-Ranges'].includes(name))
      kept.push(name, headers[at + 1] as string);
  }
  return kept;
}
