import fc from 'fast-check';

/** What fast-check makes up for the tests of test/fuzz. */

// As long as maxLength allows; fast-check stays with 10 members otherwise. Set before the first arbitrary is made.
fc.configureGlobal({ defaultSizeToMaxWhenMaxSpecified: true });

/** Text of these characters, and now and then of these words. */
export function textOf(characters: string, words: readonly string[] = []): fc.Arbitrary<string> {
  const pieces = [...characters, ...words];
  return fc.array(fc.constantFrom(...pieces), { maxLength: 40 }).map((parts) => parts.join(''));
}

/** Whatever Node's parser lets through in a header's value: a tab, printable ASCII, and bytes above 127 (RFC 9110 section 5.5). */
export const fieldValue: fc.Arbitrary<string> = fc
  .array(
    fc.oneof(fc.integer({ min: 0x20, max: 0x7e }), fc.integer({ min: 0x80, max: 0xff }), fc.constant(9)),
    {
      maxLength: 30,
    },
  )
  .map((codes) => String.fromCharCode(...codes).trim());

/** A token (RFC 9110 section 5.6.2). */
export const token: fc.Arbitrary<string> = fc
  .array(fc.constantFrom(..."abcxyzABCXYZ0189-_.!#$%&'*+^`|~"), { minLength: 1, maxLength: 12 })
  .map((letters) => letters.join(''));

/** Bytes, cut at any places into pieces none of which is empty. */
export function piecesOf(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
  const edges = [0, ...places, bytes.length];
  return edges
    .slice(1)
    .map((end, index) => bytes.subarray(edges[index], end))
    .filter((piece) => piece.length > 0);
}

export const cuts: fc.Arbitrary<number[]> = fc.array(fc.nat(400_000), { maxLength: 12 });

export interface MadeUpFrame {
  readonly kind: number;
  readonly flags: number;
  readonly head: string;
  readonly body: Buffer;
}

/** Small ones most of the time, and now and then one that is larger than what is received at once. */
export const frame: fc.Arbitrary<MadeUpFrame> = fc.record({
  kind: fc.nat(255),
  flags: fc.nat(255),
  head: fc
    .oneof(
      { weight: 9, arbitrary: fc.uint8Array({ maxLength: 60 }) },
      {
        weight: 1,
        arbitrary: fc.noShrink(fc.uint8Array({ minLength: 65_500, maxLength: 65_600 })),
      },
    )
    .map((bytes) => Buffer.from(bytes).toString('latin1')),
  body: fc.oneof(
    { weight: 8, arbitrary: fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)) },
    {
      weight: 1,
      arbitrary: fc.integer({ min: 65_500, max: 65_560 }).map((length) => Buffer.alloc(length, 'b')),
    },
    { weight: 1, arbitrary: fc.integer({ min: 1, max: 300_000 }).map((length) => Buffer.alloc(length, 'B')) },
  ),
});
