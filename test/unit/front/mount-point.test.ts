import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { refuseOutside } from '../../../src/front/mount-point.js';
import { askHttp2 } from '../../support/ask-http2.js';
import { type ServedFront, serveFront } from '../../support/serve-front.js';
import { secure } from '../../support/serve-secure-front.js';

const paths: [path: string, isInside: boolean][] = [
  ['/shop', true],
  ['/shop/', true],
  ['/shop?a=b', true],
  ['/shop/cart/../a', true],
  ['/%73hop/cart', true],
  ['/', false],
  ['/shopping', false],
  ['/SHOP/', false],
  ['//shop/', false],
  ['/shop/..', false],
  ['/shop/../admin/', false],
  ['/shop/%2e%2e/admin/', false],
  ['/shop%2f..%2fadmin/', false],
  ['/shop/./../admin/', false],
];
for (const [path, isInside] of paths) {
  test(`${path} ${isInside ? 'reaches' : 'does not reach'} an application below /shop`, async (t) => {
    const served = await serveMounted(t);
    const text = await served.exchange(`GET ${path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n`);
    assert.match(text, isInside ? /^HTTP\/1\.1 200 / : /^HTTP\/1\.1 404 /);
  });
}

test('so it is over HTTP/2, and for WebSockets', async (t) => {
  const served = await serveMounted(t);
  const session = await (await secure(t, served)).http2();
  for (const [path, isInside] of paths) {
    assert.equal((await askHttp2(session, path)).status, isInside ? 200 : 404, path);
    const upgrade = 'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n';
    const text = await served.exchange(
      `GET ${path} HTTP/1.1\r\nHost: h\r\n${upgrade}Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`,
    );
    assert.match(text, isInside ? /^HTTP\/1\.1 200 / : /^HTTP\/1\.1 404 /, path);
  }
});

test('an application at the root gets everything', () => {
  assert.deepEqual(refuseOutside(''), []);
});

async function serveMounted(t: TestContext): Promise<ServedFront> {
  const served = await serveFront(t, []);
  served.configure([
    ...refuseOutside('/shop'),
    (exchange) => {
      exchange.respond(200, [], 'application');
      return true;
    },
  ]);
  return served;
}
