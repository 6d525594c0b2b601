import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { Readable, type Transform } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { test } from 'node:test';
import * as zlib from 'node:zlib';
import {
  compressDirectly,
  createCompressor,
  type DynamicEncoding,
} from '../../../../src/front/encoding/compressor.js';
import { eventually } from '../../../support/eventually.js';
import { withDeadline } from '../../../support/with-deadline.js';

const encodings = ['br', 'gzip'] as const satisfies readonly DynamicEncoding[];
const line = 'A line of a page, much like the others.\n';

function decompress(encoding: DynamicEncoding, body: Buffer): string {
  return (encoding === 'br' ? zlib.brotliDecompressSync(body) : zlib.gunzipSync(body)).toString();
}

function createDecompressor(encoding: DynamicEncoding): Transform {
  return encoding === 'br' ? zlib.createBrotliDecompress() : zlib.createGunzip();
}

for (const encoding of encodings) {
  test(`${encoding}: a whole body`, () => {
    const compressed = compressDirectly(encoding, Buffer.from(line.repeat(500)));
    assert.ok(compressed.length < line.length * 50);
    assert.equal(decompress(encoding, compressed), line.repeat(500));
    assert.equal(decompress(encoding, compressDirectly(encoding, Buffer.alloc(0))), '');
  });

  test(`${encoding}: a stream of many chunks is whole and in order`, async () => {
    const compressor = createCompressor(encoding);
    const text = Array.from({ length: 20_000 }, (_, i) => `${i} ${line}`).join('');
    const compressed = buffer(compressor);
    for (let at = 0; at < text.length; at += 10_000) {
      if (!compressor.write(text.slice(at, at + 10_000))) await once(compressor, 'drain');
    }
    compressor.end();
    assert.equal(decompress(encoding, await compressed), text);
  });

  test(`${encoding}: a stream that ends without a byte`, async () => {
    const compressor = createCompressor(encoding);
    compressor.end();
    assert.equal(decompress(encoding, await buffer(compressor)), '');
  });

  test(`${encoding}: each piece arrives while the application pauses`, async () => {
    const compressor = createCompressor(encoding);
    const plain = compressor.pipe(createDecompressor(encoding));
    for (const piece of ['first', 'second', 'third']) {
      compressor.write(piece);
      const [arrived] = await withDeadline(once(plain, 'data'), 5000, () => `${piece} is held back`);
      assert.equal(String(arrived), piece);
    }
    compressor.end();
    await withDeadline(once(plain.resume(), 'end'), 5000, () => 'no end');
  });

  test(`${encoding}: pieces that follow closely cost no flush each`, async () => {
    const compressor = createCompressor(encoding);
    const compressed = buffer(compressor);
    for (let i = 0; i < 1000; i++) compressor.write(line);
    compressor.end();
    const together = compressDirectly(encoding, Buffer.from(line.repeat(1000)));
    assert.ok((await compressed).length <= together.length + 100);
  });

  test(`${encoding}: while nobody reads, the writer has to wait`, async () => {
    const chunks = 400;
    let taken = 0;
    const source = Readable.from(
      (function* () {
        for (; taken < chunks; taken++) yield randomBytes(16_384);
      })(),
    );
    const compressor = source.pipe(createCompressor(encoding));
    let takenBefore = -1;
    await eventually(() => {
      const isMoving = taken !== takenBefore;
      takenBefore = taken;
      assert.ok(!isMoving, 'still taking');
    });
    assert.ok(taken < chunks / 4, `${taken} of ${chunks} chunks were taken`);
    const body = await buffer(compressor);
    assert.equal(taken, chunks);
    assert.ok(body.length >= chunks * 16_384);
  });

  test(`${encoding}: destroyed in the middle, it ends quietly`, async () => {
    const compressor = createCompressor(encoding);
    compressor.write(line.repeat(10_000));
    compressor.resume();
    compressor.destroy();
    await once(compressor, 'close');
    await new Promise(setImmediate);
    assert.ok(compressor.destroyed);
  });
}

test('an error on the way reaches whoever pipes', async () => {
  const compressor = createCompressor('gzip');
  const source = (async function* () {
    yield line;
    throw new Error('the application died');
  })();
  await assert.rejects(
    pipeline(source, compressor, async (chunks) => buffer(chunks)),
    /the application died/,
  );
  assert.ok(compressor.destroyed);
});
