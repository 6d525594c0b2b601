import assert from 'node:assert/strict';
import { once } from 'node:events';
import net, { type AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { createHttp1Server } from '../../../../src/front/listen/http1-server.js';
import { RequestRules } from '../../../../src/front/listen/request-rules.js';
import { defaultSettings } from '../../../support/default-settings.js';
import { FakeClock } from '../../../support/fake-clock.js';
import { RecordingLog } from '../../../support/recording-log.js';

const get = 'GET / HTTP/1.1\r\nHost: h\r\n\r\n';
const bad = 'GET  / HTTP/1.1\r\nHost: h\r\n\r\n';
const FLOOD = 20_000;
/** What Node takes of one piece that the kernel hands over, which has been read by then. */
const ONE_PIECE = Math.ceil((64 * 1024) / get.length) + 1;

for (const [name, first, status] of [
  ['a refused one', bad, 400],
  ['more than may wait', '', 503],
] as const) {
  test(`requests without end behind ${name} are not even parsed`, async (t) => {
    const settings = defaultSettings();
    let parsed = 0;
    const server = createHttp1Server({
      settings: () => settings,
      clock: new FakeClock(),
      rules: new RequestRules(settings),
      onRequest: (_request, response) => setImmediate(() => response.end()),
      log: new RecordingLog(),
    });
    server.on('request', () => {
      parsed += 1;
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    t.after(() => server.close());
    const client = net.connect((server.address() as AddressInfo).port, '127.0.0.1');
    client.end(first + get.repeat(FLOOD));
    assert.match(await text(client), new RegExp(`HTTP/1\\.1 ${status} `));
    assert.ok(parsed <= ONE_PIECE, String(parsed));
  });
}
