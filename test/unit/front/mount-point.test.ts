import assert from 'node:assert/strict';
import { test } from 'node:test';
import { refuseOutside } from '../../../src/front/mount-point.js';
import { serveFront } from '../../support/serve-front.js';

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
    const served = await serveFront(t, []);
    served.configure([
      ...refuseOutside('/shop'),
      (exchange) => {
        exchange.respond(200, [], 'application');
        return true;
      },
    ]);
    const text = await served.exchange(`GET ${path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n`);
    assert.match(text, isInside ? /^HTTP\/1\.1 200 / : /^HTTP\/1\.1 404 /);
  });
}

test('an application at the root gets everything', () => {
  assert.deepEqual(refuseOutside(''), []);
});
