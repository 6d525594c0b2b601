import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InheritedSockets } from '../../../src/sockets/inherited-sockets.js';
import { ListeningSocket } from '../../../src/sockets/listening-socket.js';

/** Passed by these names; descriptor 3 is at port 80, the next one at 81 … */
function passed(names: string, more: Record<string, string> = {}, firstPort = 80): InheritedSockets {
  const env = {
    LISTEN_PID: '42',
    LISTEN_FDS: String(names.split(':').length),
    LISTEN_FDNAMES: names,
    ...more,
  };
  return InheritedSockets.read(env, 42, (fd) => fakeSocket(firstPort + fd - 3));
}

function fakeSocket(port: number): ListeningSocket {
  const socket = { host: '0.0.0.0', port, close: () => {}, as: () => socket };
  return socket as unknown as ListeningSocket;
}

const cases: [
  names: string,
  firstPort: number,
  port: number | null,
  http: number | undefined,
  https?: number,
][] = [
  ['http', 5000, null, 5000],
  ['https:http', 442, null, 443, 442],
  ['shop.socket', 80, null, 80],
  // By port where the names say nothing.
  ['shop.socket:shop.socket', 80, 81, 81],
  ['shop.socket:shop.socket', 442, null, undefined, 443],
  // A single one is for http, unless it says something else.
  ['shop.socket', 5000, null, 5000],
  ['https', 443, null, undefined, 443],
];
for (const [names, firstPort, port, http, https] of cases) {
  test(`sockets ${names} from port ${firstPort}, where ${port ?? 'none'} is set`, () => {
    const sockets = passed(names, {}, firstPort);
    assert.equal(sockets.take('http', port)?.port, http);
    assert.equal(sockets.take('https', null)?.port, https);
  });
}

test('each is taken once, and those that nobody takes are told', () => {
  const sockets = passed('http:metrics:');
  assert.equal(sockets.take('http', null)?.port, 80);
  assert.equal(sockets.take('http', null), undefined);
  assert.deepEqual(sockets.closeRest(), ['metrics, 0.0.0.0:81', '0.0.0.0:82']);
  assert.deepEqual(sockets.closeRest(), []);
});

test('what is meant for another process, or makes no sense, is left alone', () => {
  const environments: Record<string, string>[] = [
    { LISTEN_PID: '41' },
    ...['0', 'x', ''].map((count) => ({ LISTEN_FDS: count })),
  ];
  for (const env of environments) {
    assert.equal(passed('http', env).take('http', null), undefined, JSON.stringify(env));
  }
});

test('a descriptor that is no TCP socket is named', () => {
  assert.throws(() => ListeningSocket.adopt(2_000_000, 'http'), {
    code: 'socket-unusable',
    message: /The socket http that/,
  });
});
