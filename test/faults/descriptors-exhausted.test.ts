import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { Easyserve } from '../support/easyserve.js';
import { eventually } from '../support/eventually.js';
import { forEachMode } from '../support/for-each-mode.js';
import { ask } from '../support/http-client.js';
import { type RawConnection, rawConnection } from '../support/raw-connection.js';
import { startEasyserve } from '../support/start-easyserve.js';

const descriptors = 200;
const get = 'GET /version HTTP/1.1\r\nHost: localhost\r\n\r\n';
const slow =
  'POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\nExpect: 100-continue\r\n\r\nbegun';

/** From many addresses of this machine, so that no limit of one address is reached. */
async function connectMany(
  t: TestContext,
  site: Easyserve,
  count: number,
  request: string,
): Promise<RawConnection[]> {
  const connections: RawConnection[] = [];
  for (let n = 0; n < count; n += 1) {
    const connection = await rawConnection(t, site.url, `127.0.1.${1 + (n % 200)}`);
    connection.send(request);
    connections.push(connection);
  }
  return connections;
}

forEachMode(['single', 'cluster'], (mode, testIn) => {
  const start = (t: TestContext): Promise<Easyserve> =>
    startEasyserve(t, {
      fixture: 'wsgi-hello',
      mode,
      under: ['prlimit', `--nofile=${descriptors}:${descriptors}`],
    });

  testIn(
    'more idle connections than descriptors: the longest idle make room, and everybody is served',
    async (t) => {
      const site = await start(t);
      const idle = await connectMany(t, site, 3 * descriptors, get);
      for (let n = 0; n < 20; n += 1) assert.equal((await ask(site.url, '/version')).status, 200);
      await eventually(() => assert.ok(idle.at(0)?.isOver));
      await site.waitFor('connections-full');
    },
  );

  testIn(
    'more busy connections than descriptors: new ones get a 503 until some are over, and no file fails',
    async (t) => {
      const site = await start(t);
      const busy = await connectMany(t, site, 3 * descriptors, slow);
      // A connection whose request has not been read yet is idle, and would make room for the next.
      for (let isFull = false; !isFull; ) {
        const more = await connectMany(t, site, 1, slow);
        busy.push(...more);
        const outcome = (connection: RawConnection): boolean =>
          connection.isOver || /^HTTP\/1\.1 (100|503) /.test(connection.text);
        await eventually(() => assert.ok(busy.every(outcome)));
        isFull = more.every(({ isOver, text }) => isOver || text.startsWith('HTTP/1.1 503'));
      }
      const refused = await rawConnection(t, site.url);
      refused.send(get);
      assert.match(await refused.readToEnd(), /^(HTTP\/1\.1 503 .*|$)/s);
      await site.waitFor('connections-full');
      for (const connection of busy) connection.close();
      await eventually(async () => assert.equal((await ask(site.url, '/version')).status, 200));
      await site.waitFor('connections-free');
    },
  );
});
