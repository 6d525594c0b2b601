import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { type ConnectionOptions, connect } from 'node:tls';
import { makeTempDir } from '../support/copy-fixture.js';
import type { Easyserve } from '../support/easyserve.js';
import { forEachServer, serverCases, startServer } from '../support/for-each-server.js';
import { RawConnection, rawConnection } from '../support/raw-connection.js';
import { securePortOf, urlOf } from '../support/secure-client.js';
import { withDeadline } from '../support/with-deadline.js';

const PAD = 3_000_000;
const schemes = ['http', 'https'] as const;

async function open(t: TestContext, site: Easyserve, scheme: 'http' | 'https'): Promise<RawConnection> {
  if (scheme === 'http') return await rawConnection(t, await urlOf(site, 'http'));
  const port = await securePortOf(site);
  // What it has to say ends with close_notify (RFC 8446 section 6.1), and it goes on reading.
  // @types/node 20 does not know that net.Socket's option is one of tls.connect too.
  const options = { host: '127.0.0.1', port, rejectUnauthorized: false, allowHalfOpen: true };
  const socket = connect(options as ConnectionOptions);
  t.after(() => socket.destroy());
  await withDeadline(once(socket, 'secureConnect'), 20_000, () => 'no handshake');
  return new RawConnection(socket);
}

/** Sends a request, and ends its side with it. */
async function askAndEnd(
  t: TestContext,
  site: Easyserve,
  scheme: 'http' | 'https',
  request: string,
): Promise<RawConnection> {
  const connection = await open(t, site, scheme);
  connection.send(request);
  connection.halfClose();
  return connection;
}

const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`;
const bodyOf = (answer: string): string => answer.slice(answer.indexOf('\r\n\r\n') + 4);

const cases = serverCases.filter(({ name }) => ['gateway', 'cheroot', 'uvicorn', 'express'].includes(name));

forEachServer(cases, (serverCase, mode, testIn) => {
  testIn('a client that ends its side after its request gets its whole answer', async (t) => {
    const files = makeTempDir(t);
    mkdirSync(join(files, 'files'));
    writeFileSync(join(files, 'files', 'large.bin'), 'x'.repeat(PAD));
    const site = await startServer(t, serverCase, mode, {
      ...{ https: true, httpsPort: 0, acmeFolder: makeTempDir(t), redirectToHttps: false },
      static: { '/files/': join(files, 'files') },
    });
    for (const scheme of schemes) {
      const ask = (request: string) => askAndEnd(t, site, scheme, request);

      const small = await (await ask(get('/version'))).readToEnd(20_000);
      assert.match(small, /^HTTP\/1\.1 200 OK\r\n/, scheme);
      assert.match(bodyOf(small), /"version"/, scheme);

      const large = await (await ask(get(`/echo?pad=${PAD}`))).readToEnd(20_000);
      assert.equal(bodyOf(large).match(/x{1000}/g)?.length, PAD / 1000, scheme);

      const upload = `POST /echo HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 5\r\n\r\nhello`;
      assert.match(bodyOf(await (await ask(upload)).readToEnd(20_000)), /"length": ?5\b/, scheme);

      const file = await (await ask(get('/files/large.bin'))).readToEnd(20_000);
      assert.equal(bodyOf(file).length, PAD, scheme);

      const twice = await (await ask(get('/version') + get('/echo'))).readToEnd(20_000);
      assert.equal(twice.match(/HTTP\/1\.1 200 OK\r\n/g)?.length, 2, scheme);

      const slow = await ask(get(`/stream?tag=${scheme}`));
      await slow.readUntil('line 1\n', 20_000);
      site.writeFile(`released-${scheme}`, '');
      assert.match(await slow.readToEnd(20_000), /line 2\n/, scheme);
    }
  });
});
