import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { connect } from 'node:net';
import { WebSocket } from 'ws';
import { askHttp2 } from '../support/ask-http2.js';
import { ask } from '../support/http-client.js';

export interface Site {
  readonly name: string;
  readonly url: string;
  readonly secureUrl: string;
  readonly visits: Readonly<Record<string, (site: Site) => Promise<void>>>;
}

/** Runs visitors of every kind until it is told to pause; failures are counted, and belong to what is broken meanwhile. */
export class Traffic {
  readonly served: Record<string, number> = {};
  failed = 0;
  readonly #sites: readonly Site[];
  #isOn = false;
  #running: Promise<unknown> = Promise.resolve();

  constructor(sites: readonly Site[]) {
    this.#sites = sites;
  }

  start(): void {
    this.#isOn = true;
    this.#running = Promise.all(
      this.#sites.flatMap((site) =>
        Object.entries(site.visits).map(([kind, visit]) =>
          this.#run(`${site.name} ${kind}`, () => visit(site)),
        ),
      ),
    );
  }

  /** Resolves when the last visitor has left. */
  async pause(): Promise<void> {
    this.#isOn = false;
    await this.#running;
  }

  async #run(kind: string, visit: () => Promise<void>): Promise<void> {
    while (this.#isOn) {
      try {
        await visit();
        this.served[kind] = (this.served[kind] ?? 0) + 1;
      } catch {
        this.failed += 1;
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
  }
}

/** One answered GET. */
export function get(path: string): (site: Site) => Promise<void> {
  return async ({ url }) => expectOk(path, (await ask(url, path)).status);
}

export function upload(path: string, bytes: number): (site: Site) => Promise<void> {
  const body = Buffer.alloc(bytes, 'u');
  return async ({ url }) => expectOk(path, (await ask(url, path, { method: 'POST', body })).status);
}

/** One HTTP/2 connection, its streams at once. */
export function getOverHttp2(...paths: readonly string[]): (site: Site) => Promise<void> {
  return async ({ secureUrl }) => {
    const session = connectHttp2(secureUrl, { rejectUnauthorized: false });
    session.on('error', () => {}); // the streams tell
    const closed = once(session, 'close');
    try {
      for (const { status } of await Promise.all(paths.map((path) => askHttp2(session, path)))) {
        expectOk('HTTP/2', status);
      }
    } finally {
      session.destroy();
      await closed;
    }
  };
}

/** Goes away in the middle: of its upload, or of the answer. */
export function leave(path: string): (site: Site) => Promise<void> {
  return async ({ url }) => {
    // Leaving is quick: nobody else would be served if it went on without a pause.
    await ask(url, '/version');
    const { hostname, port, host } = new URL(url);
    const socket = connect(Number(port), hostname);
    socket.on('error', () => {}); // the close tells
    const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
    socket.write(
      `POST ${path} HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 100000\r\n\r\n${'x'.repeat(60_000)}`,
    );
    await new Promise<void>((resolve) => socket.write(`GET ${path}`, () => resolve()));
    socket.resetAndDestroy();
    await closed;
  };
}

/** Three messages and their echoes; every second one leaves without a close frame. */
export function talk(path: string): (site: Site) => Promise<void> {
  let count = 0;
  return async ({ url }) => {
    const socket = new WebSocket(new URL(path, url.replace(/^http/, 'ws')));
    const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
    socket.on('error', () => {}); // the close tells
    try {
      await Promise.race([once(socket, 'open'), closed]);
      for (const text of ['one', 'two', 'three']) {
        socket.send(text);
        await Promise.race([once(socket, 'message'), closed]);
        if (socket.readyState !== WebSocket.OPEN) throw new Error('the WebSocket was closed');
      }
    } finally {
      count += 1;
      if (count % 2 === 0) socket.terminate();
      else socket.close();
      await closed;
    }
  };
}

function expectOk(what: string, status: number): void {
  if (status !== 200) throw new Error(`${what}: ${status}`);
}
