import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import type { Exchange, Handler } from '../../../../../src/front/exchange.js';
import { answerOf, askHttp2 } from '../../../../support/ask-http2.js';
import { eventually } from '../../../../support/eventually.js';
import { frameType, type RawHttp2 } from '../../../../support/raw-http2.js';
import { serveSecureFront } from '../../../../support/serve-secure-front.js';

function holdInto(exchanges: Exchange[]): Handler {
  return (exchange) => exchanges.push(exchange) > 0;
}

const answer: Handler = (exchange) => {
  exchange.respond(200, [], 'answer');
  return true;
};

function bytesOf({ frames }: RawHttp2): number {
  return frames.reduce((sum, { type, payload }) => sum + (type === frameType.data ? payload.length : 0), 0);
}

test('a connection without a request is ended after its time, whatever else it sends, also where the client stays', async (t) => {
  const site = await serveSecureFront(t, [answer], { keepAliveTimeoutMs: 5000 });
  const raw = await site.rawHttp2();
  site.served.clock.advance(4000);
  raw.get(1);
  await raw.until(({ type }) => type === frameType.data);
  site.served.clock.advance(4000);
  raw.send(frameType.ping, 0, 0, Buffer.alloc(8));
  await raw.until(({ type }) => type === frameType.ping);
  assert.equal(raw.goawayCode, undefined);
  raw.socket.removeAllListeners('end');
  site.served.clock.advance(1001);
  await raw.until(({ type }) => type === frameType.goaway);
  site.served.clock.advance(1001);
  await eventually(() => assert.equal(site.served.front.connections, 0));
  assert.equal(site.served.clock.pending, 0);
});

test('a request that the application works on keeps its connection', async (t) => {
  const exchanges: Exchange[] = [];
  const site = await serveSecureFront(t, [holdInto(exchanges)], { keepAliveTimeoutMs: 5000 });
  const session = await site.http2();
  const answered = askHttp2(session, '/');
  await eventually(() => assert.equal(exchanges.length, 1));
  site.served.clock.advance(60_000);
  for (const exchange of exchanges) answer(exchange);
  assert.equal((await answered).text, 'answer');
  assert.equal(session.closed, false);
});

test('a client that takes nothing of its answer for so long is cut off; one that takes a little is not', async (t) => {
  const exchanges: Exchange[] = [];
  const site = await serveSecureFront(
    t,
    [
      (exchange) => {
        exchanges.push(exchange);
        exchange.respond(200, [], Buffer.alloc(1_000_000));
        return true;
      },
    ],
    { sendTimeoutMs: 5000, minSendBytesPerSecond: 0 },
  );
  const raw = await site.rawHttp2();
  raw.get(1);
  // Its window, which nobody opens.
  await raw.until(() => bytesOf(raw) === 65_535);
  site.served.clock.advance(4000);
  for (const stream of [0, 1]) raw.send(frameType.windowUpdate, 0, stream, Buffer.from([0, 1, 0, 0]));
  await raw.until(() => bytesOf(raw) === 131_071);
  site.served.clock.advance(5000);
  raw.send(frameType.ping, 0, 0, Buffer.alloc(8));
  await raw.until(({ type }) => type === frameType.ping);
  assert.equal(raw.isOver, false);
  site.served.clock.advance(5000);
  await raw.ended();
  await eventually(() => assert.ok(exchanges[0]?.response.destroyed));
});

test('drain: a GOAWAY that names the last request, its answer, and the end', async (t) => {
  const exchanges: Exchange[] = [];
  const site = await serveSecureFront(t, [holdInto(exchanges)]);
  const raw = await site.rawHttp2();
  raw.get(1);
  await eventually(() => assert.equal(exchanges.length, 1));
  const drained = site.served.front.drain(60_000);
  const { payload } = await raw.until(({ type }) => type === frameType.goaway);
  assert.deepEqual([payload.readUInt32BE(), raw.goawayCode], [1, 0]);
  // The client is free to send this one elsewhere.
  raw.get(3);
  for (const exchange of exchanges) answer(exchange);
  await raw.ended();
  await drained;
  assert.deepEqual([exchanges.length, site.served.front.connections], [1, 0]);
});

test('drain: an idle connection ends, also where the client does not leave', async (t) => {
  const site = await serveSecureFront(t, [answer]);
  const raw = await site.rawHttp2();
  raw.get(1);
  await raw.until(({ type }) => type === frameType.data);
  const drained = site.served.front.drain(60_000);
  await raw.until(({ type }) => type === frameType.goaway);
  site.served.clock.advance(1000);
  await drained;
  assert.equal(site.served.front.connections, 0);
});

test('drain: a handshake that ends later gets a connection that ends as well', async (t) => {
  const site = await serveSecureFront(t, [answer]);
  const { front } = site.served;
  const half = await site.halfOpen();
  await eventually(() => assert.equal(front.connections, 1));
  const drained = front.drain(60_000);
  const raw = await half.finish();
  raw.get(1);
  await raw.until(({ type }) => type === frameType.data);
  await raw.until(({ type }) => type === frameType.goaway);
  await raw.ended();
  await drained;
});

test('drain ends when a client leaves in the middle of a request', async (t) => {
  const exchanges: Exchange[] = [];
  const site = await serveSecureFront(t, [holdInto(exchanges)]);
  for (const socket of [await site.tls({ ALPNProtocols: ['http/1.1'] })]) {
    socket.write('GET / HTTP/1.1\r\nHost: h\r\n\r\n');
  }
  const session = await site.http2();
  const left = answerOf(session.request({ ':path': '/' }));
  await eventually(() => assert.equal(exchanges.length, 2));
  const drained = site.served.front.drain(60_000);
  session.destroy();
  exchanges.find(({ request }) => request.httpVersion === '1.1')?.response.destroy();
  await left;
  await drained;
});

test('cutting all: requests under way are reset', async (t) => {
  const exchanges: Exchange[] = [];
  const site = await serveSecureFront(t, [holdInto(exchanges)]);
  const session = await site.http2();
  const left = answerOf(session.request({ ':path': '/' }));
  await eventually(() => assert.equal(exchanges.length, 1));
  const closed = once(session, 'close');
  site.served.front.closeConnections();
  await Promise.all([left, closed]);
  await eventually(() => assert.equal(site.served.front.connections, 0));
});
