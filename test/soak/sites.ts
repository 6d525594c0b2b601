import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { makeTempDir } from '../support/copy-fixture.js';
import type { Easyserve } from '../support/easyserve.js';
import type { Mode } from '../support/for-each-mode.js';
import { repositoryRoot } from '../support/repository.js';
import { urlOf } from '../support/secure-client.js';
import { type StartOptions, startEasyserve } from '../support/start-easyserve.js';
import { get, getOverHttp2, leave, type Site, talk, upload } from './traffic.js';

/** What CI has time for. */
const shortSeconds = 9;
/** In each mode, of traffic; what a crash or a reload takes comes on top. */
export const seconds = Number(process.env.EASYSERVE_SOAK_SECONDS ?? shortSeconds);

/** In half a minute a front has not met all that it will keep. */
export const warmUpBytes = seconds > shortSeconds ? 0 : 8_000_000;

const preload = join(repositoryRoot, 'test', 'soak', 'collect-garbage.cjs');
const env = seconds > shortSeconds ? {} : { NODE_OPTIONS: `--require=${preload}` };

export interface Soaked {
  readonly easyserve: Easyserve;
  readonly site: Site;
}

/** Static files, media, pages, downloads, streams and uploads of Django, with the gateway. */
export function startDjango(t: TestContext, mode: Mode): Promise<Soaked> {
  return start(t, {
    ...{ mode, fixture: 'django-site', name: 'Django' },
    settings: { bodyMemoryBytes: 50_000 },
    prepare: (dir) => {
      mkdirSync(join(dir, 'media'), { recursive: true });
      writeFileSync(join(dir, 'media', 'film.mp4'), Buffer.alloc(1_000_000, 'm'));
    },
    visits: {
      page: get('/version'),
      static: get('/static/journal/journal.css'),
      media: get('/media/film.mp4'),
      download: get('/bytes?size=2000000'),
      stream: get('/stream?count=20&delay_ms=2'),
      upload: upload('/echo', 200_000),
      http2: getOverHttp2('/version', '/static/journal/journal.css', '/media/film.mp4', '/bytes?size=300000'),
      leave: leave('/echo'),
    },
  });
}

/** Pages, event streams, uploads and WebSockets of an ASGI application, with uvicorn. */
export function startAsgi(t: TestContext, mode: Mode): Promise<Soaked> {
  return start(t, {
    ...{ mode, fixture: 'asgi-hello', name: 'ASGI' },
    settings: { server: 'uvicorn' },
    prepare: (dir) => writeFileSync(join(dir, 'released-soak'), ''),
    visits: {
      page: get('/version'),
      events: get('/stream?tag=soak&type=text/event-stream'),
      upload: upload('/echo', 200_000),
      webSocket: talk('/socket'),
      http2: getOverHttp2('/version', '/echo?pad=100000'),
      leave: leave('/echo'),
    },
  });
}

async function start(
  t: TestContext,
  { name, visits, settings, ...options }: StartOptions & { name: string; visits: Site['visits'] },
): Promise<Soaked> {
  const https = { https: true, httpsPort: 0, acmeFolder: makeTempDir(t) };
  const easyserve = await startEasyserve(t, { ...options, env, settings: { ...https, ...settings } });
  const [url, secureUrl] = [await urlOf(easyserve, 'http'), await urlOf(easyserve, 'https')];
  return { easyserve, site: { name, url, secureUrl, visits } };
}
