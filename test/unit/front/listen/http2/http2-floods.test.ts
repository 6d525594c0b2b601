import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Exchange } from '../../../../../src/front/exchange.js';
import { askHttp2 } from '../../../../support/ask-http2.js';
import { eventually } from '../../../../support/eventually.js';
import {
  encodeFields,
  encodeFrame,
  endHeaders,
  endStream,
  frameType,
  getFields,
  type RawHttp2,
} from '../../../../support/raw-http2.js';
import { type SecureFront, serveSecureFront } from '../../../../support/serve-secure-front.js';

const MAX_GROWTH_BYTES = 100_000_000;
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

interface Attacked {
  readonly site: SecureFront;
  readonly raw: RawHttp2;
  /** What came to the handlers, and is not over. */
  readonly open: Set<Exchange>;
  readonly seen: { count: number; most: number };
}

/** A front whose handlers leave requests below /held without an answer. */
async function underAttack(t: TestContext): Promise<Attacked> {
  const open = new Set<Exchange>();
  const seen = { count: 0, most: 0 };
  const site = await serveSecureFront(t, [
    (exchange) => {
      if (!exchange.path.startsWith('/held')) exchange.respond(200, [], 'fine');
      else {
        open.add(exchange);
        exchange.response.once('close', () => open.delete(exchange));
        seen.count += 1;
        seen.most = Math.max(seen.most, open.size);
      }
      return true;
    },
  ]);
  return { site, raw: await site.rawHttp2(), open, seen };
}

/**
 * Sends what `next` makes, a hundred at a time, until the server ends the connection. Another client asks all the while, and
 * the process must not grow.
 */
async function flood(
  { site, raw }: Attacked,
  most: number,
  next: (count: number) => Uint8Array,
): Promise<number> {
  const other = await site.http2();
  const before = process.memoryUsage().rss;
  let sent = 0;
  while (sent < most && site.served.front.connections === 2) {
    const pieces = Array.from({ length: 100 }, (_, at) => next(sent + at));
    sent += pieces.length;
    raw.socket.write(Buffer.concat(pieces));
    await turn();
    if (sent % 2000 === 0) assert.equal((await askHttp2(other, '/')).text, 'fine');
  }
  assert.equal((await askHttp2(other, '/')).text, 'fine');
  const growth = process.memoryUsage().rss - before;
  assert.ok(growth < MAX_GROWTH_BYTES, `${growth} bytes more`);
  return sent;
}

const code = (value: number): Buffer => Buffer.from([0, 0, 0, value]);

test('rapid reset (CVE-2023-44487): the connection is ended, and handlers see hardly any of it', async (t) => {
  const attacked = await underAttack(t);
  await flood(attacked, 20_000, (count) => {
    const stream = 1 + 2 * count;
    return Buffer.concat([
      encodeFrame(frameType.headers, endStream | endHeaders, stream, getFields('/held')),
      encodeFrame(frameType.reset, 0, stream, code(8)),
    ]);
  });
  await eventually(() => assert.equal(attacked.site.served.front.connections, 1));
  assert.ok(attacked.seen.most <= 128, `${attacked.seen.most} at the same time`);
  await eventually(() => assert.equal(attacked.open.size, 0));
});

test('CONTINUATION without end (CVE-2024-28182): the connection is ended', async (t) => {
  const attacked = await underAttack(t);
  attacked.raw.send(frameType.headers, endStream, 1, getFields('/held'));
  const field = encodeFields([['x-more', 'x'.repeat(1000)]]);
  await flood(attacked, 20_000, () => encodeFrame(frameType.continuation, 0, 1, field));
  await eventually(() => assert.equal(attacked.site.served.front.connections, 1));
  assert.equal(attacked.seen.count, 0);
});

test('a head that never ends is not waited for longer than an idle connection', async (t) => {
  const { site, raw } = await underAttack(t);
  raw.send(frameType.headers, endStream, 1, getFields('/held'));
  site.served.clock.advance(75_000);
  site.served.clock.advance(1000);
  await eventually(() => assert.equal(site.served.front.connections, 0));
});

/** A field of 4,000 bytes, put into the table, and thousands of references to it of one byte each (RFC 7541 section 6.1). */
function makeBomb(): Buffer {
  const [, ...named] = encodeFields([['x-bomb', 'x'.repeat(3900)]]);
  return Buffer.concat([getFields('/held'), Buffer.from([0x40, ...named]), Buffer.alloc(8000, 0xbe)]);
}

test('a header bomb: decoded no further than the limit, and the connection counts as idle', async (t) => {
  const attacked = await underAttack(t);
  const bomb = makeBomb();
  await flood(attacked, 4000, (count) =>
    encodeFrame(frameType.headers, endStream | endHeaders, 1 + 2 * count, bomb),
  );
  attacked.site.served.clock.advance(75_000);
  attacked.site.served.clock.advance(1000);
  await eventually(() => assert.equal(attacked.site.served.front.connections, 0));
  assert.equal(attacked.seen.count, 0);
});

test('hundreds of small headers are refused, and the connection ends', async (t) => {
  const { raw, seen } = await underAttack(t);
  const many = Array.from({ length: 600 }, () => ['a', 'b'] as const);
  raw.get(1, '/held', ...many);
  await raw.until(({ type }) => type === frameType.goaway);
  assert.equal(seen.count, 0);
});

const unread: [what: string, frame: Buffer][] = [
  ['pings', encodeFrame(frameType.ping, 0, 0, Buffer.alloc(8))],
  ['settings', encodeFrame(frameType.settings, 0, 0)],
];
for (const [what, frame] of unread) {
  test(`a flood of ${what} whose answers nobody reads ends the connection`, async (t) => {
    const attacked = await underAttack(t);
    attacked.raw.socket.pause();
    const many = Buffer.concat(Array.from({ length: 50 }, () => frame));
    await flood(attacked, 10_000, () => many);
    attacked.site.served.clock.advance(75_000);
    attacked.site.served.clock.advance(1000);
    await eventually(() => assert.equal(attacked.site.served.front.connections, 0));
  });
}

test('more requests at the same time than allowed: never more reach a handler, and the connection is ended', async (t) => {
  const { site, raw, open, seen } = await underAttack(t);
  for (let at = 0; at < 128; at += 1) raw.get(1 + 2 * at, '/held');
  await eventually(() => assert.equal(open.size, 128));
  for (let at = 128; at < 300; at += 1) raw.get(1 + 2 * at, '/held');
  await raw.ended();
  await eventually(() => assert.deepEqual([open.size, site.served.front.connections], [0, 0]));
  assert.equal(seen.most, 128);
});

test('requests that the client makes us reset (CVE-2025-8671): never more than allowed, and the connection is ended', async (t) => {
  const attacked = await underAttack(t);
  await flood(attacked, 30_000, (count) => {
    const stream = 1 + 2 * count;
    return Buffer.concat([
      encodeFrame(frameType.headers, endStream | endHeaders, stream, getFields('/held')),
      encodeFrame(frameType.windowUpdate, 0, stream, Buffer.from([0x7f, 0xff, 0xff, 0xff])),
    ]);
  });
  await eventually(() => assert.equal(attacked.site.served.front.connections, 1));
  assert.ok(attacked.seen.most <= 128, `${attacked.seen.most} at the same time`);
  await eventually(() => assert.equal(attacked.open.size, 0));
});
