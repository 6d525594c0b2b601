import assert from 'node:assert/strict';
import fc from 'fast-check';
import { encodeFrame, FrameReader } from '../../src/front/upstream/frames.js';
import { cuts, frame, type MadeUpFrame, piecesOf } from '../support/arbitraries.js';
import { forAll } from '../support/for-all.js';

// The front's end of the gateway's protocol. The bytes come from an application process, which may be anything.

interface ReadFrame {
  readonly kind: number;
  readonly flags: number;
  readonly head: string;
  readonly announced: number;
  body: Buffer;
}

/** Throws what the reader throws; checks that it keeps its word about what is to come. */
function read(pieces: readonly Buffer[]): ReadFrame[] {
  const frames: ReadFrame[] = [];
  const reader = new FrameReader({
    onHead: (kind, flags, head, announced) =>
      frames.push({ kind, flags, head, announced, body: Buffer.alloc(0) }),
    onBody: (piece, bytesLeft) => {
      const last = frames.at(-1);
      assert.ok(last !== undefined && piece.length > 0);
      last.body = Buffer.concat([last.body, piece]);
      assert.equal(last.body.length + bytesLeft, last.announced);
    },
  });
  for (const piece of pieces) reader.push(piece);
  return frames;
}

const encode = ({ kind, flags, head, body }: MadeUpFrame) => encodeFrame(kind, flags, head, body);

forAll(
  'frames come out as they went in, wherever the connection cuts them',
  fc.record({ frames: fc.array(frame, { maxLength: 6 }), cuts }),
  ({ frames, cuts }) => {
    const pieces = piecesOf(Buffer.concat(frames.map(encode)), cuts);
    const wanted = frames.map((each) => ({ ...each, announced: each.body.length }));
    assert.deepEqual(read(pieces), wanted);
  },
);

forAll(
  'of a stream that ends early, all but the last frame are whole',
  fc.record({
    frames: fc.array(frame, { minLength: 1, maxLength: 4 }),
    cuts,
    lost: fc.integer({ min: 1, max: 50 }),
  }),
  ({ frames, cuts, lost }) => {
    const bytes = Buffer.concat(frames.map(encode));
    const found = read(piecesOf(bytes.subarray(0, Math.max(0, bytes.length - lost)), cuts));
    assert.ok(found.length <= frames.length);
    for (const [at, { head, body, announced }] of found.entries()) {
      assert.equal(head, frames[at]?.head);
      if (at < found.length - 1) assert.equal(body.length, announced);
    }
  },
);

forAll(
  'bytes that are no frames are read as far as they go or refused, the same however they are cut',
  fc.record({ bytes: fc.uint8Array({ maxLength: 400 }), cuts }),
  ({ bytes, cuts }) => {
    const whole = outcomeOf([Buffer.from(bytes)]);
    assert.deepEqual(outcomeOf(piecesOf(Buffer.from(bytes), cuts)), whole);
    assert.match(whole.refusal, /^$|^a head of \d+ bytes$/);
  },
);

function outcomeOf(pieces: readonly Buffer[]): { refusal: string; frames: readonly ReadFrame[] } {
  try {
    return { refusal: '', frames: read(pieces) };
  } catch (error) {
    assert.ok(error instanceof Error && !(error instanceof assert.AssertionError), String(error));
    return { refusal: error.message, frames: [] };
  }
}
