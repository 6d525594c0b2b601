import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { type DocumentedProxy, type ProxyName, startDocumentedProxy } from '../support/documented-proxy.js';
import type { Easyserve } from '../support/easyserve.js';
import { forEachMode } from '../support/for-each-mode.js';
import { ask } from '../support/http-client.js';
import { trust } from '../support/secure-client.js';
import { startEasyserve } from '../support/start-easyserve.js';

/** As test/fixtures/request-journal writes it down. */
interface Received {
  readonly headers: readonly (readonly [string, string])[];
  readonly client: string;
  readonly scheme: string;
  readonly server: string;
}

/** No proxy: 127.0.0.1 alone is in trustedProxies. */
const CLIENT = '127.0.0.2';

/** What a client writes that wants to be somebody else, on another host, below another path, and over the other scheme. */
const forgeries: readonly Readonly<Record<string, string>>[] = [
  {},
  {
    'X-Forwarded-For': '203.0.113.9',
    'X-Forwarded-Proto': 'https',
    'X-Forwarded-Host': 'evil.test',
    'X-Forwarded-Port': '4443',
    'X-Forwarded-Prefix': '/evil',
    'X-Real-IP': '203.0.113.9',
    Forwarded: 'for=203.0.113.9;host=evil.test;proto=https',
  },
  {
    // The addresses of the proxy itself, which would make the client whoever stands left of them.
    'X-Forwarded-For': '203.0.113.9, 127.0.0.1',
    'X-Forwarded-Proto': 'http, https, http',
    'x-forwarded-host': 'evil.test, a.test',
    X_Forwarded_For: '203.0.113.9',
    'X-Forwarded-Scheme': 'https',
    'X-Forwarded-Server': 'evil.test',
    'X-Original-URL': '/evil',
    'CF-Connecting-IP': '203.0.113.9',
    'True-Client-IP': '203.0.113.9',
  },
];

const telling = /^(?:forwarded$|x-forwarded|x-real|x-original|cf-connecting|true-client|host$)/;

/** What is believed by itself where only this machine can connect, but for the client of this test, which has no other address. */
const trustedProxies = ['127.0.0.1'];

const servers = [
  { server: 'gateway', settings: { app: 'app:application', threads: 1 } },
  { server: 'uvicorn', settings: { app: 'asgi:application', server: 'uvicorn' } },
];

async function askOverHttps(port: number, headers: Readonly<Record<string, string>>): Promise<number> {
  const outgoing = request({
    ...{ host: '127.0.0.1', port, path: '/', agent: false, localAddress: CLIENT },
    ...trust('a.test', undefined),
    headers: { Host: 'a.test', ...headers },
    signal: AbortSignal.timeout(20_000),
  });
  outgoing.end();
  const [response] = await once(outgoing, 'response');
  response.resume();
  return response.statusCode;
}

function journalOf(site: Easyserve): Received[] {
  return readFileSync(join(site.dir, 'journal.jsonl'), 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Received);
}

/** What the application has been told of a request. */
function factsOf({ headers, client, scheme, server }: Received): Record<string, string> {
  const told = headers.filter(([name]) => telling.test(name));
  return { client, scheme, server, ...Object.fromEntries(told) };
}

function truth(scheme: 'http' | 'https'): Record<string, string> {
  return {
    ...{ client: CLIENT, scheme, server: `a.test:${scheme === 'http' ? 80 : 443}`, host: 'a.test' },
    ...{ 'x-forwarded-for': CLIENT, 'x-forwarded-proto': scheme, 'x-forwarded-host': 'a.test' },
  };
}

async function askThrough(
  { url, securePort }: DocumentedProxy,
  headers: Readonly<Record<string, string>>,
): Promise<void> {
  const plain = await ask(url, '/', { headers: { Host: 'a.test', ...headers }, localAddress: CLIENT });
  assert.deepEqual([plain.status, await askOverHttps(securePort, headers)], [204, 204]);
}

for (const { server, settings } of servers) {
  forEachMode(['single', 'cluster'], (mode, testIn) => {
    testIn(`${server}: no client forges what nginx and Caddy say with the documented lines`, async (t) => {
      const site = await startEasyserve(t, {
        ...{ fixture: 'request-journal', mode },
        settings: { ...settings, trustedProxies },
      });
      for (const name of ['nginx', 'caddy'] as const satisfies ProxyName[]) {
        const proxy = await startDocumentedProxy(t, name, site.url);
        for (const [at, headers] of forgeries.entries()) {
          const before = journalOf(site).length;
          await askThrough(proxy, headers);
          const [plain, secure] = journalOf(site).slice(before).map(factsOf);
          assert.deepEqual([plain, secure], [truth('http'), truth('https')], `${name}, forgery ${at}`);
        }
      }
      const before = journalOf(site).length;
      for (const headers of forgeries) {
        await ask(site.url, '/', { headers: { Host: 'a.test', ...headers }, localAddress: CLIENT });
      }
      const direct = journalOf(site).slice(before).map(factsOf);
      assert.deepEqual(
        direct,
        forgeries.map(() => truth('http')),
        'past every proxy',
      );
    });
  });
}
