import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, Socket } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type Connect, ReadinessPoll } from '../../../../src/app/process/readiness-poll.js';
import type { UpstreamAddress } from '../../../../src/contracts/upstream.js';
import { findFreePort } from '../../../../src/sockets/socket-handle.js';
import { makeTempDir } from '../../../support/copy-fixture.js';
import { FakeClock } from '../../../support/fake-clock.js';

function world(t: TestContext, reach: Connect = (place) => connect(place)) {
  const socketPath = join(makeTempDir(t), 'app.sock');
  const port = findFreePort();
  const addresses: UpstreamAddress[] = [
    { protocol: 'http', place: { path: socketPath } },
    { protocol: 'http', place: { host: '127.0.0.1', port } },
  ];
  const clock = new FakeClock();
  const accepted: UpstreamAddress[] = [];
  const closings: Promise<unknown>[] = [];
  const watched: Connect = (place) => {
    const socket = reach(place);
    // Not events.once, which would take the error away from whom it is for.
    closings.push(new Promise((resolve) => socket.once('close', resolve)));
    return socket;
  };
  let tell: () => void = () => {};
  const isAccepted = new Promise<void>((resolve) => {
    tell = resolve;
  });
  const poll = new ReadinessPoll(addresses, watched, clock, (address) => {
    accepted.push(address);
    tell();
  });
  t.after(() => poll.stop());
  /** Both addresses have been asked once. */
  const firstRound = Promise.all(closings);
  return { socketPath, port, clock, accepted, addresses, poll, firstRound, isAccepted };
}

for (const which of [0, 1]) {
  test(`asked until one of them accepts: ${['the socket', 'the port'][which]}`, async (t) => {
    const { socketPath, port, clock, accepted, addresses, firstRound, isAccepted } = world(t);
    await firstRound;
    assert.deepEqual(accepted, []);
    const server = createServer((socket) => socket.destroy());
    t.after(() => server.close());
    if (which === 0) server.listen(socketPath);
    else server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    await clock.advanceAsync(50);
    await isAccepted;
    assert.deepEqual(accepted, [addresses[which]]);
    assert.equal(clock.pending, 0);
  });
}

test('nobody is asked any more once it is stopped', async (t) => {
  const { clock, poll, firstRound, accepted } = world(t);
  await firstRound;
  assert.equal(clock.pending, 1);
  poll.stop();
  assert.equal(clock.pending, 0);
  assert.deepEqual(accepted, []);
});

test('a connection that met itself is nobody listening', async (t) => {
  // What the system does once in many thousand times: both ends have the same address.
  const server = createServer((socket) => socket.destroy());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const { accepted, firstRound } = world(t, (place) => {
    if ('path' in place) return connect(place);
    const socket = connect({ host: '127.0.0.1', port });
    Object.defineProperty(socket, 'localPort', { value: port });
    assert.ok(socket instanceof Socket);
    return socket;
  });
  await firstRound;
  assert.deepEqual(accepted, []);
});
