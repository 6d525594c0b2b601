import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Exchange } from '../../../../src/front/exchange.js';
import type { Http2Response } from '../../../../src/front/listen/http2/http2-response.js';
import { eventually } from '../../../support/eventually.js';
import { frameType } from '../../../support/raw-http2.js';
import { serveFront } from '../../../support/serve-front.js';
import { serveSecureFront } from '../../../support/serve-secure-front.js';

const get = 'GET / HTTP/1.1\r\nHost: h\r\n\r\n';
const large = Buffer.alloc(30_000_000);

/** Takes an exchange and answers it with more than all buffers of the kernel hold. */
const answerInto =
  (exchanges: Exchange[]) =>
  (exchange: Exchange): boolean => {
    exchanges.push(exchange);
    exchange.respond(200, [], large);
    return true;
  };

test('a client that takes nothing for sendTimeoutMs is cut, also one that goes on sending', async (t) => {
  const exchanges: Exchange[] = [];
  const served = await serveFront(t, [answerInto(exchanges)], { sendTimeoutMs: 10_000 });
  const connection = await served.connect();
  connection.pause();
  connection.send(get);
  await eventually(() => assert.equal(exchanges.length, 1));
  served.clock.advance(9000);
  connection.send('GET');
  assert.equal(served.front.connections, 1);
  served.clock.advance(3000);
  await eventually(() => assert.equal(served.front.connections, 0));
});

test('where nothing waits for the client it stays', async (t) => {
  const served = await serveFront(
    t,
    [
      ({ response }) => {
        response.writeHead(200, ['Content-Type', 'text/event-stream']);
        response.write('data: 1\n\n');
        return true;
      },
    ],
    { sendTimeoutMs: 10_000 },
  );
  const connection = await served.connect();
  connection.send(get);
  await connection.readUntil('data: 1');
  served.clock.advance(3_600_000);
  assert.equal(served.front.connections, 1);
});

test('while the budget is used up, five seconds are enough', async (t) => {
  const exchanges: Exchange[] = [];
  const served = await serveFront(t, [answerInto(exchanges)]);
  const connection = await served.connect();
  connection.pause();
  connection.send(get);
  await eventually(() => assert.equal(exchanges.length, 1));
  served.budget.configure({ memoryBytes: 0, diskBytes: 0, minFreePercent: 0, fronts: 1 });
  served.clock.advance(7000);
  await eventually(() => assert.equal(served.front.connections, 0));
});

test('HTTP/2: an answer whose window stays shut is cut, and its connection when there is no other', async (t) => {
  const exchanges: Exchange[] = [];
  const answer = (exchange: Exchange): boolean => {
    exchanges.push(exchange);
    // The second one is under way at the application.
    if (exchange.path === '/large') exchange.respond(200, [], Buffer.alloc(1_000_000));
    return true;
  };
  const site = await serveSecureFront(t, [answer], { sendTimeoutMs: 10_000 });
  const raw = await site.rawHttp2();
  raw.get(1, '/large');
  raw.get(3, '/held');
  await eventually(() => assert.equal(exchanges.length, 2));
  site.served.clock.advance(12_000);
  await raw.until(({ type, stream }) => type === frameType.reset && stream === 1);
  assert.equal(raw.isOver, false);
  exchanges[1]?.respond(200, [], 'small');
  raw.get(5, '/large');
  await eventually(() => assert.equal(exchanges.length, 3));
  await eventually(() => assert.equal(exchanges[2]?.response.writableLength === 0, false));
  raw.send(frameType.reset, 0, 3, Buffer.from([0, 0, 0, 8]));
  await eventually(() => assert.ok(exchanges[1]?.response.destroyed));
  site.served.clock.advance(12_000);
  await raw.ended();
});

for (const { minSendBytesPerSecond, isCut } of [
  { minSendBytesPerSecond: 655_360, isCut: true },
  { minSendBytesPerSecond: 32_768, isCut: false },
]) {
  test(`HTTP/2: who takes 65,536 bytes each second ${isCut ? 'is cut' : 'stays'} where ${minSendBytesPerSecond} are the least`, async (t) => {
    const exchanges: Exchange[] = [];
    const settings = { sendTimeoutMs: 10_000, minSendBytesPerSecond };
    const site = await serveSecureFront(t, [answerInto(exchanges)], settings);
    const raw = await site.rawHttp2();
    raw.get(1, '/');
    await eventually(() => assert.equal(exchanges.length, 1));
    const response = exchanges[0]?.response as Http2Response;
    await eventually(() => assert.ok(response.isHeldUp));
    let seconds = 0;
    for (; seconds < 30 && !response.destroyed; seconds += 1) {
      const taken = response.takenBytes;
      for (const stream of [0, 1]) raw.send(frameType.windowUpdate, 0, stream, Buffer.from([0, 1, 0, 0]));
      // It never stops: what its window lets through is seen before the next look.
      await eventually(() => assert.ok(response.takenBytes > taken || response.destroyed));
      site.served.clock.advance(1000);
    }
    assert.equal(response.destroyed, isCut);
    if (isCut) assert.ok(seconds > 10, `${seconds} s`);
  });
}
