import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { serveApplication } from '../../src/front/application.js';
import { Spool } from '../../src/front/buffers/spool.js';
import type { AppRequest } from '../../src/front/upstream/app-request.js';
import { HttpClient } from '../../src/front/upstream/http-client.js';
import type { Settings } from '../../src/settings/settings.js';
import { defaultSettings } from './default-settings.js';
import { makeFileTree } from './file-tree.js';
import { type ServedFront, serveFront } from './serve-front.js';
import { withDeadline } from './with-deadline.js';

export interface HttpWorldOptions {
  readonly concurrency?: number;
  readonly settings?: Partial<Settings>;
  readonly readsBodiesFirst?: boolean;
}

/** Clients over TCP - a real front - the HTTP client - an application server over a Unix socket. No pool between. */
export class HttpWorld {
  readonly client: HttpClient;
  readonly served: ServedFront;
  readonly requests: AppRequest[];
  /** Those that the connection lost before a byte of the answer. */
  readonly lost: AppRequest[];
  /** Those that found nobody listening. */
  readonly unsent: AppRequest[];
  readonly #events: { wake: () => void };

  constructor(parts: {
    client: HttpClient;
    served: ServedFront;
    requests: AppRequest[];
    lost: AppRequest[];
    unsent: AppRequest[];
    events: { wake: () => void };
  }) {
    this.client = parts.client;
    this.served = parts.served;
    this.requests = parts.requests;
    this.lost = parts.lost;
    this.unsent = parts.unsent;
    this.#events = parts.events;
  }

  /** Resolves when the client has become so; it is asked whenever a request ends, becomes a stream, or is lost. */
  async until(isReached: () => boolean, describe: string): Promise<void> {
    const reached = new Promise<void>((resolve) => {
      this.#events.wake = () => {
        if (isReached()) resolve();
      };
      this.#events.wake();
    });
    await withDeadline(reached, 10_000, () => `${describe}: ${this.client.inFlight} in flight`);
  }

  /** So many requests have been given back as lost; each is, a moment after its connection has broken off. */
  async untilLost(count: number): Promise<void> {
    await this.served.log.seen('upstream-broken', count);
    this.served.clock.advance(100);
    await this.until(() => this.lost.length === count, `${count} lost requests`);
  }
}

/** A server of node:http on a Unix socket: the application server of an HttpWorld. Closed at the test's end. */
export async function serveUpstream(
  t: TestContext,
  listener: RequestListener,
): Promise<{ server: Server; path: string }> {
  const path = join(await makeFileTree(t, {}), 'app.sock');
  const server = createServer(listener);
  server.listen(path);
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { server, path };
}

export async function makeHttpWorld(
  t: TestContext,
  path: string,
  { concurrency = 100, settings = {}, readsBodiesFirst = false }: HttpWorldOptions = {},
): Promise<HttpWorld> {
  const requests: AppRequest[] = [];
  const lost: AppRequest[] = [];
  const unsent: AppRequest[] = [];
  const events = { wake: () => {} };
  const served = await serveFront(t, [], settings);
  const { log, clock } = served;
  const client = new HttpClient({
    address: { protocol: 'http', place: { path } },
    concurrency,
    observer: {
      onIdle: () => events.wake(),
      onUnsent: (request) => {
        unsent.push(request);
        events.wake();
      },
      onCut: () => events.wake(),
      onLost: (request) => {
        lost.push(request);
        events.wake();
      },
    },
    log,
    clock,
  });
  t.after(() => client.close());
  const dispatch = (request: AppRequest): void => {
    requests.push(request);
    client.send(request);
  };
  const spool = new Spool(await makeFileTree(t, {}), served.budget, log);
  const application = serveApplication({
    ...{ dispatcher: { dispatch }, spool, clock, log },
    needs: { protocol: 'http', readsBodiesFirst, uploadPlaces: 1000, decidesFraming: false },
    settings: defaultSettings(settings),
  });
  served.configure([application]);
  return new HttpWorld({ client, served, requests, lost, unsent, events });
}
