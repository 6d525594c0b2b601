import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:tls';
import { makeTempDir } from '../support/copy-fixture.js';
import { forEachMode } from '../support/for-each-mode.js';
import { ask } from '../support/http-client.js';
import { rssBytes } from '../support/processes.js';
import { frameType, RawHttp2 } from '../support/raw-http2.js';
import { securePortOf, urlOf } from '../support/secure-client.js';
import { startEasyserve } from '../support/start-easyserve.js';

const connections = 4;
const streams = 100;
const pageBytes = 500_000;
const limitBytes = 16 * 1024 * 1024;

forEachMode(['single', 'cluster'], (mode, testIn) => {
  testIn(
    'hundreds of answers of HTTP/2 that nobody takes stay within the memory of the buffers',
    async (t) => {
      const settings = { https: true, httpsPort: 0, acmeFolder: makeTempDir(t), redirectToHttps: false };
      const site = await startEasyserve(t, {
        mode,
        fixture: 'wsgi-hello',
        settings: { ...settings, bufferMemoryBytes: limitBytes },
      });
      const [url, port] = [await urlOf(site, 'http'), await securePortOf(site)];
      for (let n = 0; n < 20; n += 1) await ask(url, `/echo?pad=${pageBytes}`);
      const pids = await site.sitePids();
      const weigh = (): number => pids.reduce((sum, pid) => sum + rssBytes(pid), 0);
      const before = weigh();

      const raws = await Promise.all(Array.from({ length: connections }, () => flood(port)));
      for (const raw of raws) t.after(() => raw.socket.destroy());
      await Promise.all(
        raws.map((raw) =>
          raw.until(({ type, stream }) => type === frameType.headers && stream === 2 * streams - 1),
        ),
      );
      assert.equal((await ask(url, '/version')).status, 200);
      const grown = weigh() - before;
      // All of it were 200 MB. What Node needs for the streams themselves, and garbage that waits for its collection, comes beside the buffers.
      assert.ok(grown < limitBytes + 80 * 1024 * 1024, `${Math.round(grown / 1e6)} MB more than before`);
      for (const raw of raws) raw.socket.destroy();
    },
  );
});

async function flood(port: number): Promise<RawHttp2> {
  const socket = connect({ host: '127.0.0.1', port, ALPNProtocols: ['h2'], rejectUnauthorized: false });
  await once(socket, 'secureConnect');
  const raw = await RawHttp2.begin(socket);
  for (let n = 0; n < streams; n += 1) raw.get(2 * n + 1, `/echo?pad=${pageBytes}`);
  return raw;
}
