import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Exchange, Handler } from '../../../src/front/exchange.js';
import { ListeningSocket } from '../../../src/sockets/listening-socket.js';
import { eventually } from '../../support/eventually.js';
import { rawConnection } from '../../support/raw-connection.js';
import { serveFront } from '../../support/serve-front.js';

const get = 'GET / HTTP/1.1\r\nHost: h\r\n\r\n';

const answer: Handler = (exchange) => {
  exchange.respond(200, [], 'answer');
  return true;
};

function holdInto(exchanges: Exchange[]): Handler {
  return (exchange) => exchanges.push(exchange) > 0;
}

test('a second socket takes the place of the first, whose connections go on', async (t) => {
  const served = await serveFront(t, [answer]);
  const before = await served.connect();
  before.send(get);
  await before.readUntil('answer');

  const second = await ListeningSocket.bind('127.0.0.1', 0);
  await served.front.listen('http', second.handle);
  before.forget();
  before.send(get);
  await before.readUntil('answer');
  const after = await rawConnection(t, second.url);
  after.send(get);
  await after.readUntil('answer');
  await assert.rejects(rawConnection(t, served.socket.url), { code: 'ECONNREFUSED' });
  assert.equal(served.front.connections, 2);
});

test('a request that is under way on the first socket is finished', async (t) => {
  const exchanges: Exchange[] = [];
  const served = await serveFront(t, [holdInto(exchanges)]);
  const connection = await served.connect();
  connection.send(get);
  await eventually(() => assert.equal(exchanges.length, 1));
  const second = await ListeningSocket.bind('127.0.0.1', 0);
  await served.front.listen('http', second.handle);
  for (const exchange of exchanges) answer(exchange);
  await connection.readUntil('answer');
});

test('a socket that cannot be listened on leaves the first', async (t) => {
  const served = await serveFront(t, [answer]);
  const closed = await ListeningSocket.bind('127.0.0.1', 0);
  closed.close();
  await assert.rejects(served.front.listen('http', closed.handle));
  const connection = await served.connect();
  connection.send(get);
  await connection.readUntil('answer');
});

test('drain: nobody is accepted any more, what is under way is finished, then it is over', async (t) => {
  const exchanges: Exchange[] = [];
  const served = await serveFront(t, [holdInto(exchanges)]);
  const connection = await served.connect();
  connection.send(get);
  await eventually(() => assert.equal(exchanges.length, 1));
  let isDrained = false;
  const drained = served.front.drain(60_000).then(() => {
    isDrained = true;
  });
  await eventually(() => assert.rejects(rawConnection(t, served.socket.url), { code: 'ECONNREFUSED' }));
  // One that came in time, and says nothing.
  await served.clock.advanceAsync(1001);
  assert.equal(isDrained, false);
  for (const exchange of exchanges) answer(exchange);
  const text = await connection.readToEnd();
  assert.match(text, /\r\nConnection: close\r\n[\s\S]*answer$/);
  await drained;
  assert.equal(served.front.connections, 0);
});

test('drain: a connection that has waited for its next request is closed at once', async (t) => {
  const served = await serveFront(t, [answer]);
  const connection = await served.connect();
  connection.send(get);
  await connection.readUntil('answer');
  await new Promise((resolve) => setImmediate(resolve)); // the response is closed
  served.clock.advance(1000);
  await served.front.drain(60_000);
  await connection.readToEnd();
  assert.equal(connection.error, undefined);
});

test('drain: the next request on a connection that is busy is still answered', async (t) => {
  const exchanges: Exchange[] = [];
  const served = await serveFront(t, [holdInto(exchanges)]);
  const connection = await served.connect();
  connection.send(get + get);
  await eventually(() => assert.equal(exchanges.length, 1));
  const drained = served.front.drain(60_000);
  await new Promise((resolve) => setImmediate(resolve));
  await new Promise((resolve) => setImmediate(resolve));
  for (const exchange of exchanges) answer(exchange);
  assert.match(await connection.readToEnd(), /answer/);
  await drained;
});

test('drain: a client that has just had an answer may ask once more, and is told that it was the last', async (t) => {
  const served = await serveFront(t, [answer]);
  const [asking, silent] = [await served.connect(), await served.connect()];
  for (const connection of [asking, silent]) {
    connection.send(get);
    await connection.readUntil('answer');
    connection.forget();
  }
  const drained = served.front.drain(60_000);
  await served.clock.advanceAsync(900);
  asking.send(get);
  assert.match(await asking.readToEnd(), /\r\nConnection: close\r\n[\s\S]*answer$/);
  assert.equal(served.front.connections, 1);
  await served.clock.advanceAsync(200);
  assert.equal(await silent.readToEnd(), '');
  await drained;
});

test('drain: the deadline', async (t) => {
  const exchanges: Exchange[] = [];
  const served = await serveFront(t, [holdInto(exchanges)]);
  const connection = await served.connect();
  connection.send(get);
  await eventually(() => assert.equal(exchanges.length, 1));
  let isDrained = false;
  const drained = served.front.drain(5000).then(() => {
    isDrained = true;
  });
  await served.clock.advanceAsync(4999);
  assert.equal(isDrained, false);
  await served.clock.advanceAsync(2);
  await drained;
  served.front.closeConnections();
  await connection.readToEnd();
  await eventually(() => assert.equal(served.front.connections, 0));
});
