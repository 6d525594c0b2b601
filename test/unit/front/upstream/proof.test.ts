import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { AnswerKind, encodeFrame } from '../../../../src/front/upstream/frames.js';
import {
  type ConnectionOwner,
  GatewayConnection,
} from '../../../../src/front/upstream/gateway-connection.js';
import type { GatewayRequest } from '../../../../src/front/upstream/gateway-request.js';
import { proofOf } from '../../../../src/front/upstream/proof.js';

const shown = '0'.repeat(32);
const expected = 'f'.repeat(32);
const secret = shown + expected;

test('one half of the secret is shown, the other is expected', () => {
  const proof = proofOf(secret);
  assert.equal(proof.shown, shown);
  assert.equal(proof.isShownBy(expected), true);
  for (const peer of ['', shown, expected.slice(1), `${expected}f`, 'ÿ'.repeat(32)]) {
    assert.equal(proof.isShownBy(peer), false, peer);
  }
});

for (const { hello, outcome } of [
  { hello: `3\0${expected}`, outcome: 'hello of 3' },
  { hello: `3\0${shown}`, outcome: 'a hello without the secret' },
  { hello: '3', outcome: 'a hello without the secret' },
]) {
  test(`a gateway that says ${JSON.stringify(hello)}: ${outcome}`, async (t) => {
    const { address, peer } = await listenOnce(t);
    const heard = new Promise<string>((resolve) => {
      const owner: Partial<ConnectionOwner<GatewayRequest>> = {
        onHello: ({ thread }) => resolve(`hello of ${thread}`),
        onProtocolError: (_connection, error) => resolve(error.message),
        onBroken: () => {},
      };
      const connection = new GatewayConnection(address, owner as ConnectionOwner<GatewayRequest>);
      t.after(() => connection.close());
    });
    const socket = await peer;
    const [first] = (await once(socket, 'data')) as [Buffer];
    assert.equal(first.toString(), shown);
    socket.write(encodeFrame(AnswerKind.hello, 0, hello));
    assert.equal(await heard, outcome);
  });
}

async function listenOnce(t: TestContext) {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const peer = once(server, 'connection').then(([socket]) => {
    t.after(() => (socket as Socket).destroy());
    return socket as Socket;
  });
  const { port } = server.address() as AddressInfo;
  const place = { host: '127.0.0.1', port };
  return { address: { protocol: 'gateway' as const, place, secret }, peer };
}
