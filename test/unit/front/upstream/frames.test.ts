import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeFrame, FrameReader } from '../../../../src/front/upstream/frames.js';

interface Frame {
  readonly kind: number;
  readonly flags: number;
  readonly head: string;
  readonly announced: number;
  body: string;
  isWhole: boolean;
}

/** Reads pieces as they might arrive, and puts each frame together again. */
function read(pieces: readonly Buffer[]): Frame[] {
  const frames: Frame[] = [];
  const reader = new FrameReader({
    onHead: (kind, flags, head, announced) =>
      frames.push({ kind, flags, head, announced, body: '', isWhole: announced === 0 }),
    onBody: (piece, bytesLeft) => {
      const frame = frames.at(-1);
      assert.ok(frame && !frame.isWhole && piece.length > 0);
      frame.body += piece.toString('latin1');
      frame.isWhole = bytesLeft === 0;
      assert.equal(bytesLeft, frame.announced - frame.body.length);
    },
  });
  for (const piece of pieces) reader.push(piece);
  return frames;
}

const stream = Buffer.concat([
  encodeFrame(2, 1, '200 OK\0Content-Type\0text/plain', Buffer.from('hello')),
  encodeFrame(9, 0, ''),
  encodeFrame(255, 255, 'größe ÿ', Buffer.alloc(0)),
  encodeFrame(4, 0, '', Buffer.from('body only')),
]);
const expected = [
  { kind: 2, flags: 1, head: '200 OK\0Content-Type\0text/plain', announced: 5, body: 'hello', isWhole: true },
  { kind: 9, flags: 0, head: '', announced: 0, body: '', isWhole: true },
  { kind: 255, flags: 255, head: 'größe ÿ', announced: 0, body: '', isWhole: true },
  { kind: 4, flags: 0, head: '', announced: 9, body: 'body only', isWhole: true },
];

test('the bytes of a frame', () => {
  assert.deepEqual(
    [...encodeFrame(1, 2, 'hÿ', Buffer.from('b'))],
    [1, 2, 0, 0, 0, 0, 0, 2, 0, 0, 0, 1, 0x68, 0xff, 0x62],
  );
});

test('frames come out as they went in, cut at every byte', () => {
  assert.deepEqual(read([stream]), expected);
  for (let cut = 1; cut < stream.length; cut += 1) {
    assert.deepEqual(read([stream.subarray(0, cut), stream.subarray(cut)]), expected, `cut at ${cut}`);
  }
});

test('frames come out as they went in, byte by byte', () => {
  assert.deepEqual(read([...stream].map((byte) => Buffer.from([byte]))), expected);
});

test('a body is passed on as it arrives, and never gathered', () => {
  const sizes: number[] = [];
  const reader = new FrameReader({ onHead: () => {}, onBody: ({ length }) => sizes.push(length) });
  const frame = encodeFrame(2, 0, 'head', Buffer.alloc(100_000));
  for (let at = 0; at < frame.length; at += 30_000) reader.push(frame.subarray(at, at + 30_000));
  assert.deepEqual(sizes, [30_000 - 16, 30_000, 30_000, 100_000 - 90_000 + 16]);
});

test('a head that is too large is refused as soon as its length is known', () => {
  const header = Buffer.alloc(12);
  header.writeUInt32BE(4 * 1024 * 1024 + 1, 4);
  assert.throws(() => read([header.subarray(0, 11), header.subarray(11)]), /a head of 4194305 bytes/);
  header.writeUInt32BE(4 * 1024 * 1024, 4);
  assert.deepEqual(read([header]), []);
});

test('a body of more than two gigabytes is announced as what it is', () => {
  const header = Buffer.alloc(12);
  header.writeUInt32BE(0xffffffff, 8);
  assert.equal(read([header])[0]?.announced, 4_294_967_295);
});
