import assert from 'node:assert/strict';
import { symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { askHttp2 } from '../support/ask-http2.js';
import type { FixtureName } from '../support/copy-fixture.js';
import { makeTempDir } from '../support/copy-fixture.js';
import type { Easyserve } from '../support/easyserve.js';
import { forEachMode, type Mode } from '../support/for-each-mode.js';
import { ask } from '../support/http-client.js';
import { repositoryRoot } from '../support/repository.js';
import { askSecurely, openHttp2, securePortOf, urlOf } from '../support/secure-client.js';
import { openSiteWebSocket } from '../support/site-web-socket.js';
import { startEasyserve } from '../support/start-easyserve.js';

type Facts = Readonly<Record<string, unknown>>;

/** What an application says of one request: over HTTP/1.1 and HTTP/2 in TLS, and over plain HTTP. */
async function collectFacts(t: TestContext, site: Easyserve, path: string) {
  const [plain, port] = [await urlOf(site, 'http'), await securePortOf(site)];
  const host = `127.0.0.1:${port}`;
  const session = await openHttp2(t, port, { host });
  const answers = await Promise.all([
    askSecurely(port, path, { host }),
    askHttp2(session, { ':path': path, ':authority': host }),
    // A client that claims something else is not believed.
    ask(plain, path, { headers: { 'X-Forwarded-Proto': 'https', 'X-Forwarded-Port': '443' } }),
  ]);
  const [http1, http2, insecure] = answers.map(({ status, text }) => {
    assert.equal(status, 200, text);
    return JSON.parse(text) as Facts;
  });
  assert.ok(http1 && http2 && insecure);
  return { host, secure: [http1, http2], insecure, plainPort: new URL(plain).port, port: String(port) };
}

function start(
  t: TestContext,
  mode: Mode,
  fixture: FixtureName,
  settings: Facts,
  prepare?: (dir: string) => void,
) {
  return startEasyserve(t, {
    mode,
    fixture,
    settings: { https: true, httpsPort: 0, acmeFolder: makeTempDir(t), trustedProxies: [], ...settings },
    ...(prepare && { prepare }),
  });
}

const expressApp = `
const express = require('express');
const app = express();
app.set('trust proxy', true);
app.get('/facts', (request, response) => {
  const { secure, protocol, headers } = request;
  response.json({ secure, protocol, forwarded: headers['x-forwarded-proto'], host: headers.host });
});
app.listen(3000);
`;

forEachMode(['single', 'cluster'], (mode, testIn) => {
  for (const server of ['gateway', 'cheroot']) {
    testIn(`Django under ${server} knows that a request came over HTTPS`, async (t) => {
      const site = await start(t, mode, 'django-site', { server });
      const { host, secure, insecure, port, plainPort } = await collectFacts(t, site, '/environ');
      for (const facts of secure) {
        const environ = facts.environ as Facts;
        assert.deepEqual([facts.secure, facts.host], [true, host]);
        assert.deepEqual([environ['wsgi.url_scheme'], environ.SERVER_PORT], ['https', port]);
        assert.equal(environ.HTTPS ?? 'on', 'on');
      }
      const environ = insecure.environ as Facts;
      assert.equal(insecure.secure, false);
      assert.deepEqual([environ['wsgi.url_scheme'], environ.SERVER_PORT], ['http', plainPort]);
    });
  }

  testIn('Django under uvicorn knows it, and WebSockets work over TLS', async (t) => {
    const site = await start(t, mode, 'django-channels', { server: 'uvicorn' });
    const { host, secure, insecure, port } = await collectFacts(t, site, '/facts');
    for (const facts of secure) {
      assert.deepEqual([facts.isSecure, facts.url], [true, `https://${host}/facts`]);
      assert.equal(facts.SERVER_PORT, port);
    }
    assert.equal(insecure.isSecure, false);
    const socket = await openSiteWebSocket(t, await urlOf(site, 'https'), '/chat/garden', {
      headers: { Origin: `https://${host}` },
    });
    assert.equal(await socket.ask('hello'), 'hello');
  });

  testIn('Express knows it, and WebSockets work over TLS', async (t) => {
    const site = await start(t, mode, 'node-hello', { app: 'secure.cjs' }, (dir) => {
      symlinkSync(join(repositoryRoot, 'node_modules'), join(dir, 'node_modules'));
      writeFileSync(join(dir, 'secure.cjs'), expressApp);
    });
    const { host, secure, insecure } = await collectFacts(t, site, '/facts');
    for (const facts of secure) {
      assert.deepEqual(facts, { secure: true, protocol: 'https', forwarded: 'https', host });
    }
    assert.deepEqual([insecure.secure, insecure.forwarded], [false, 'http']);
    site.writeSettings({ app: 'express.cjs' });
    await site.waitFor('reloaded');
    const socket = await openSiteWebSocket(t, await urlOf(site, 'https'), '/');
    assert.equal(await socket.ask('hello'), 'hello');
  });
});
