import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Exchange } from '../../../../src/front/exchange.js';
import { ClientLoad } from '../../../../src/front/limits/client-load.js';
import type { Settings } from '../../../../src/settings/settings.js';
import { defaultSettings } from '../../../support/default-settings.js';
import { eventually } from '../../../support/eventually.js';
import { type ServedFront, serveFront } from '../../../support/serve-front.js';

const get = 'GET / HTTP/1.1\r\nHost: h\r\n\r\n';
const upload = 'POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\n123';

async function serve(
  t: TestContext,
  changed: Partial<Settings>,
): Promise<{ served: ServedFront; held: Exchange[] }> {
  const held: Exchange[] = [];
  const served = await serveFront(t, [], changed);
  const load = new ClientLoad(served.clock, served.log);
  const hold = (exchange: Exchange): boolean => exchange.request.resume() && held.push(exchange) > 0;
  served.configure([load.limit(defaultSettings(changed)), hold], changed);
  return { served, held };
}

test('one address may have so many requests at the application; the next gets 503, others are served', async (t) => {
  const { served, held } = await serve(t, { maxRequestsPerAddress: 2 });
  const first = await served.connect();
  first.send(get);
  (await served.connect()).send(get);
  await eventually(() => assert.equal(held.length, 2));
  assert.match(await served.exchange(get), /^HTTP\/1\.1 503 [\s\S]*Retry-After: 1\r\n/);
  (await served.connect('127.0.0.2')).send(get);
  await eventually(() => assert.equal(held.length, 3));
  held[0]?.respond(200, [], 'answer');
  await first.readUntil('answer');
  (await served.connect()).send(get);
  await eventually(() => assert.equal(held.length, 4));
  assert.equal(served.log.all('client-limited').length, 1);
});

test('uploads have a limit of their own, and count until their body is there', async (t) => {
  const { served, held } = await serve(t, { maxUploadsPerAddress: 1 });
  const slow = await served.connect();
  slow.send(upload);
  await eventually(() => assert.equal(held.length, 1));
  assert.match(await served.exchange(`${upload}456789`), /^HTTP\/1\.1 503 /);
  (await served.connect()).send(get);
  await eventually(() => assert.equal(held.length, 2));
  slow.send('456789');
  await eventually(() => assert.ok(held[0]?.request.readableEnded));
  (await served.connect()).send(upload);
  await eventually(() => assert.equal(held.length, 3));
});

test('clients behind a trusted proxy are told apart, and the proxy itself is not counted', async (t) => {
  const { served, held } = await serve(t, { maxRequestsPerAddress: 1, trustedProxies: ['127.0.0.1'] });
  const from = (address: string): string =>
    get.replace('\r\n\r\n', `\r\nX-Forwarded-For: ${address}\r\n\r\n`);
  for (const request of [get, get, from('2001:db8::1'), from('2001:db8:0:1::1')]) {
    (await served.connect()).send(request);
  }
  await eventually(() => assert.equal(held.length, 4));
  assert.match(await served.exchange(from('2001:db8::2')), /^HTTP\/1\.1 503 /);
});
