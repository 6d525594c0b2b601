import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Exchange, Handler } from '../../../../src/front/exchange.js';
import { describeLimit } from '../../../../src/sockets/descriptor-limit.js';
import { eventually } from '../../../support/eventually.js';
import { serveFront } from '../../../support/serve-front.js';
import { secure } from '../../../support/serve-secure-front.js';

const get = 'GET / HTTP/1.1\r\nHost: h\r\n\r\n';

const answer: Handler = (exchange) => {
  exchange.respond(200, [], 'answer');
  return true;
};

function holdInto(exchanges: Exchange[]): Handler {
  return (exchange) => exchanges.push(exchange) > 0;
}

test('one address with too many connections loses its idle ones, then gets 503; others notice nothing', async (t) => {
  const held: Exchange[] = [];
  const served = await serveFront(t, [holdInto(held)], { maxConnectionsPerAddress: 2 });
  const idle = await served.connect();
  const busy = await served.connect();
  busy.send(get);
  await eventually(() => assert.equal(held.length, 1));
  const early = await served.connect();
  assert.match(await early.readToEnd(), /^HTTP\/1\.1 503 /, 'the idle one may still send its first request');
  served.clock.advance(1000);
  const third = await served.connect();
  third.send(get);
  await idle.readToEnd();
  await eventually(() => assert.equal(held.length, 2));

  const refused = await served.connect();
  refused.send(get);
  assert.match(await refused.readToEnd(), /^HTTP\/1\.1 503 [\s\S]*Retry-After: \d+\r\nConnection: close\r\n/);
  assert.equal(refused.error, undefined);
  const told = served.log.all('client-connections-full').map(({ fields }) => [fields.client, fields.limit]);
  assert.deepEqual(told, [['127.0.0.1', 2]]);
  const other = await served.connect('127.0.0.2');
  other.send(get);
  await eventually(() => assert.equal(held.length, 3));
  for (const exchange of held) answer(exchange);
  for (const connection of [busy, third, other]) await connection.readUntil('answer');
  assert.equal(served.front.connections, 3);
  served.clock.advance(10_000);
  assert.deepEqual(
    served.log.all('client-connections-free').map(({ fields }) => fields.times),
    [2],
  );
});

test('connections of a trusted proxy are not counted by address', async (t) => {
  const held: Exchange[] = [];
  const served = await serveFront(t, [holdInto(held)], {
    maxConnectionsPerAddress: 1,
    trustedProxies: ['127.0.0.1'],
  });
  const connections = [await served.connect(), await served.connect(), await served.connect()];
  for (const connection of connections) connection.send(get);
  await eventually(() => assert.equal(held.length, 3));
});

test('with all connections there, the longest idle goes first; it is said once, and once that it is over', async (t) => {
  const held: Exchange[] = [];
  const served = await serveFront(t, [holdInto(held)], { maxConnections: 2 });
  const first = await served.connect();
  const second = await served.connect('127.0.0.2');
  second.send(get);
  await eventually(() => assert.equal(held.length, 1));
  const third = await served.connect('127.0.0.3');
  third.send(get);
  await first.readToEnd();
  await eventually(() => assert.equal(held.length, 2));
  const refused = await served.connect('127.0.0.4');
  assert.match(await refused.readToEnd(), /^HTTP\/1\.1 503 /);
  assert.equal(served.log.all('connections-full').length, 1);
  for (const exchange of held) answer(exchange);
  await third.readUntil('answer');
  served.clock.advance(60_000);
  assert.equal(served.log.all('connections-free').length, 1);
});

test('when descriptors are scarce idle connections are closed for new ones', async (t) => {
  // The front's own descriptors are those of this whole process: none is left for clients.
  const served = await serveFront(
    t,
    [answer],
    {},
    { descriptors: { ...describeLimit(1000), lastForClients: 3 } },
  );
  const refused = await served.connect();
  assert.match(await refused.readToEnd(), /^HTTP\/1\.1 503 /);
  assert.equal(served.log.all('descriptors-exhausted').length, 1);
});

test('over HTTPS a connection beyond the limit is closed, and an idle one of HTTP/2 makes room', async (t) => {
  const held: Exchange[] = [];
  const site = await secure(t, await serveFront(t, [holdInto(held)], { maxConnectionsPerAddress: 1 }));
  const session = await site.http2();
  site.served.clock.advance(1000);
  const next = await site.http1();
  await eventually(() => assert.ok(session.destroyed));
  next.send(get);
  await eventually(() => assert.equal(held.length, 1));
  await assert.rejects(site.http2());
});

test('a request beyond those that may wait on a connection ends it, after the answers before it', async (t) => {
  const held: Exchange[] = [];
  const served = await serveFront(t, [holdInto(held)], { maxPipelinedRequests: 3 });
  const connection = await served.connect();
  connection.send(get.repeat(2000));
  for (let turn = 1; turn <= 4; turn += 1) {
    await eventually(() => assert.equal(held.length, turn));
    const exchange = held.at(-1);
    assert.ok(exchange);
    answer(exchange);
  }
  const text = await connection.readToEnd();
  assert.deepEqual(text.match(/HTTP\/1\.1 \d+/g), [...Array(4).fill('HTTP/1.1 200'), 'HTTP/1.1 503']);
  assert.equal(held.length, 4);
});
