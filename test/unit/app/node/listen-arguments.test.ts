import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeAddress, readListenArguments } from '../../../../src/app/node/listen-arguments.js';

const callback = (): void => {};

for (const [args, port, host] of [
  [[3000], 3000, undefined],
  [[3000, callback], 3000, undefined],
  [['3000', '0.0.0.0', callback], 3000, '0.0.0.0'],
  [[3000, 'localhost', 511, callback], 3000, 'localhost'],
  [[{ port: 3000, host: '::1' }, callback], 3000, '::1'],
  [[{ port: '3000' }], 3000, undefined],
  [[], 0, undefined],
  [[callback], 0, undefined],
  [[undefined, callback], 0, undefined],
  [['/run/app.sock', callback], undefined, undefined],
  [[{ path: '/run/app.sock' }], undefined, undefined],
  [[{ path: false, port: 3000 }, callback], 3000, undefined],
  [[{ fd: 4 }, callback], undefined, undefined],
] as const) {
  test(`listen(${args.map((arg) => (typeof arg === 'function' ? 'callback' : JSON.stringify(arg))).join(', ')})`, () => {
    const read = readListenArguments(args);
    assert.equal(read.port, port);
    assert.equal(read.host, host);
    assert.equal(read.callback, args.at(-1) === callback ? callback : undefined);
  });
}

test('the path of a Unix socket', () => {
  assert.equal(readListenArguments(['/run/app.sock', callback]).path, '/run/app.sock');
  assert.equal(readListenArguments([{ path: '/run/app.sock' }]).path, '/run/app.sock');
  for (const args of [[3000], ['3000'], [{ path: false, port: 1 }], [{ fd: 4 }], []]) {
    assert.equal(readListenArguments(args).path, undefined);
  }
});

test('the address that an application prints', () => {
  const describe = (port: number | undefined, host?: string) =>
    describeAddress({ port, path: undefined, host, callback }, 8000);
  assert.deepEqual(describe(3000), { address: '::', family: 'IPv6', port: 3000 });
  assert.deepEqual(describe(3000, '0.0.0.0'), { address: '0.0.0.0', family: 'IPv4', port: 3000 });
  assert.deepEqual(describe(0, 'localhost'), { address: '127.0.0.1', family: 'IPv4', port: 8000 });
  assert.equal(describe(undefined).port, 8000);
});
