import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { serveApplication } from '../../src/front/application.js';
import type { BufferLimits } from '../../src/front/buffers/buffer-budget.js';
import { Spool } from '../../src/front/buffers/spool.js';
import type { AppRequest } from '../../src/front/upstream/app-request.js';
import { GatewayClient } from '../../src/front/upstream/gateway-client.js';
import type { Settings } from '../../src/settings/settings.js';
import { defaultSettings } from './default-settings.js';
import { FakeGateway } from './fake-gateway.js';
import { makeFileTree } from './file-tree.js';
import { type ServedFront, serveFront } from './serve-front.js';
import { withDeadline } from './with-deadline.js';

export interface GatewayWorldOptions {
  readonly threads?: number;
  readonly settings?: Partial<Settings>;
  readonly isMultiprocess?: boolean;
  /** What may be buffered; by default everything. */
  readonly buffers?: Partial<BufferLimits>;
  /** Whether to wait until every thread has said hello. */
  readonly isReady?: boolean;
}

/** Clients over TCP - a real front - the gateway's client - a fake gateway over a Unix socket. No pool between. */
export class GatewayWorld {
  readonly gateway: FakeGateway;
  readonly client: GatewayClient;
  readonly served: ServedFront;
  readonly spoolFolder: string;
  readonly spool: Spool;
  readonly requests: AppRequest[];
  /** Those that the connection lost before a byte of the answer. */
  readonly lost: AppRequest[];
  readonly #events: { wake: () => void };

  constructor(parts: {
    gateway: FakeGateway;
    client: GatewayClient;
    served: ServedFront;
    spoolFolder: string;
    spool: Spool;
    requests: AppRequest[];
    lost: AppRequest[];
    events: { wake: () => void };
  }) {
    this.gateway = parts.gateway;
    this.client = parts.client;
    this.served = parts.served;
    this.spoolFolder = parts.spoolFolder;
    this.spool = parts.spool;
    this.requests = parts.requests;
    this.lost = parts.lost;
    this.#events = parts.events;
  }

  /** Resolves when the client has become so; it is asked whenever a thread becomes idle or a request is lost. */
  async until(isReached: () => boolean, describe: string): Promise<void> {
    const reached = new Promise<void>((resolve) => {
      this.#events.wake = () => {
        if (isReached()) resolve();
      };
      this.#events.wake();
    });
    await withDeadline(reached, 10_000, () => `${describe}: ${this.client.idle} idle`);
  }

  async untilIdle(count: number): Promise<void> {
    await this.until(() => this.client.idle === count, `${count} idle threads`);
  }
}

export async function makeGatewayWorld(
  t: TestContext,
  {
    threads = 1,
    settings = {},
    isMultiprocess = false,
    isReady = true,
    buffers = {},
  }: GatewayWorldOptions = {},
): Promise<GatewayWorld> {
  const gateway = await FakeGateway.listen(t);
  if (!isReady) gateway.saysHello = false;
  const spoolFolder = await makeFileTree(t, {});
  const requests: AppRequest[] = [];
  const lost: AppRequest[] = [];
  const events = { wake: () => {} };
  const served = await serveFront(t, [], settings);
  const { log, clock } = served;
  const client = new GatewayClient({
    address: { protocol: 'gateway', place: { path: gateway.path } },
    threads,
    observer: {
      onIdle: () => events.wake(),
      onUnsent: () => assert.fail('a gateway says by itself whether it can take a request'),
      onCut: () => events.wake(),
      onLost: (request) => {
        lost.push(request);
        events.wake();
      },
    },
    log,
    clock,
    isMultiprocess: () => isMultiprocess,
  });
  t.after(() => client.close());
  const dispatch = (request: AppRequest): void => {
    requests.push(request);
    client.send(request);
  };
  const { budget } = served;
  budget.configure({ memoryBytes: 2 ** 40, diskBytes: 2 ** 40, minFreePercent: 0, fronts: 1, ...buffers });
  const spool = new Spool(spoolFolder, budget, log);
  const application = serveApplication({
    ...{ dispatcher: { dispatch }, spool, clock, log },
    needs: { protocol: 'gateway', readsBodiesFirst: true, uploadPlaces: 1000, decidesFraming: false },
    settings: defaultSettings(settings),
  });
  served.configure([application]);
  const world = new GatewayWorld({ gateway, client, served, spoolFolder, spool, requests, lost, events });
  if (isReady) await world.untilIdle(threads);
  return world;
}
