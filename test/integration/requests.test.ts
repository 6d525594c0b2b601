import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { Easyserve } from '../support/easyserve.js';
import { forEachMode } from '../support/for-each-mode.js';
import { rawConnection } from '../support/raw-connection.js';
import { repositoryRoot } from '../support/repository.js';
import { startEasyserve } from '../support/start-easyserve.js';

/** A request as it reached the application; `headers` without those that the front adds, names in lower case. */
interface Received {
  readonly method: string;
  readonly target: string;
  readonly host: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** One of the files beside this one: what a client sends, byte by byte in latin-1, and what comes of it. */
interface Case {
  readonly name: string;
  readonly bytes: string;
  /** Of the answers. A connection ends with the first that is no success. */
  readonly statuses: readonly number[];
  readonly received: readonly Received[];
  /** Whether the request that is sent behind the bytes is taken; `statuses` and `received` do not name it. */
  readonly goesOn: boolean;
  /** Nothing is sent behind the bytes: they have their answer without more. */
  readonly isAnsweredAtOnce?: boolean;
}

const folder = join(repositoryRoot, 'test', 'integration', 'requests');
const cases = readdirSync(folder).flatMap((file): Case[] =>
  JSON.parse(readFileSync(join(folder, file), 'utf8')).map((one: Case) => ({
    ...one,
    name: `${file}: ${one.name}`,
  })),
);

const end = 'GET /end HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n';
const received = { method: 'GET', target: '/end', host: 'a.test', headers: {}, body: '' };

const servers = [
  { name: 'gateway', settings: { app: 'app:application', threads: 1 } },
  { name: 'uvicorn', settings: { app: 'asgi:application', server: 'uvicorn' } },
  { name: 'node', settings: { app: 'server.cjs' } },
];

/** What the front adds, and what belongs to its own connection to an HTTP server. */
const added =
  /^(?:host|connection|content-length|transfer-encoding|x-request-id|x-forwarded-(?:for|proto|host))$/;

class Journal {
  readonly #path: string;
  readonly #isGateway: boolean;

  constructor(dir: string, isGateway: boolean) {
    this.#path = join(dir, 'journal.jsonl');
    this.#isGateway = isGateway;
  }

  read(): Received[] {
    const lines = existsSync(this.#path) ? readFileSync(this.#path, 'utf8').split('\n').slice(0, -1) : [];
    return lines
      .map((line) => this.#parse(JSON.parse(line)))
      .filter(({ headers }) => headers['user-agent'] !== 'easyserve-probe');
  }

  #parse({
    method,
    target,
    headers,
    body,
  }: Omit<Received, 'headers'> & { headers: [string, string][] }): Received {
    const rest = new Map<string, string>();
    // SERVER_NAME of a request without one, and what a server of HTTP/1.1, which demands it, is told.
    let host = 'localhost';
    for (const [name, value] of headers) {
      if (name === 'host') host = value;
      if (added.test(name)) continue;
      // A gateway joins the lines of a list with a comma, servers of HTTP leave them apart or add a space.
      rest.set(name, [...(rest.has(name) ? [rest.get(name)] : []), value.replaceAll(', ', ',')].join(','));
    }
    // A gateway has the target as it came (REQUEST_URI); a server of HTTP gets path and query.
    const path = (this.#isGateway ? target.replace(/^https?:\/\/[^/?]*/i, '') : target).replace(/\?$/, '');
    return {
      method,
      target: path.startsWith('/') ? path : `/${path}`,
      host,
      headers: Object.fromEntries(rest),
      body,
    };
  }
}

async function exchange(t: TestContext, site: Easyserve, bytes: string): Promise<number[]> {
  const connection = await rawConnection(t, site.url);
  connection.send(bytes);
  // The last answer says so; then the server waits for the client to close its side, for seconds where a body is still to come. One
  // that says nothing shows in the comparison.
  await connection.readUntil(/\r\nconnection: close\r\n/i, 20_000).catch(() => {});
  connection.halfClose();
  const text = await connection.readToEnd(20_000);
  connection.close();
  return [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));
}

for (const { name, settings } of servers) {
  forEachMode(['single', 'cluster'], (mode, testIn) => {
    testIn(
      `${name}: ${cases.length} requests, each as it has to reach the application, or refused`,
      async (t) => {
        const site = await startEasyserve(t, { fixture: 'request-journal', mode, settings });
        const journal = new Journal(site.dir, name === 'gateway');
        const expected: Received[] = [];
        for (const one of cases) {
          const statuses = await exchange(t, site, one.isAnsweredAtOnce ? one.bytes : one.bytes + end);
          assert.deepEqual(statuses, [...one.statuses, ...(one.goesOn ? [204] : [])], one.name);
          const arrived = [...one.received, ...(one.goesOn ? [received] : [])];
          assert.deepEqual(journal.read().slice(expected.length), arrived, one.name);
          expected.push(...arrived);
        }
        // Nothing has come late.
        await exchange(t, site, end);
        assert.deepEqual(journal.read(), [...expected, received]);
      },
    );
  });
}
