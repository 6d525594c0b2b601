import assert from 'node:assert/strict';
import fc from 'fast-check';
import { chooseEncoding } from '../../src/front/encoding/accept-encoding.js';
import { parseByteRange } from '../../src/front/files/byte-ranges.js';
import { evaluatePreconditions, isRangeFresh } from '../../src/front/files/conditional.js';
import { fieldValue, textOf } from '../support/arbitraries.js';
import { forAll } from '../support/for-all.js';

// What a client asks of a file: ranges, encodings, conditions.

const size = fc.oneof(fc.nat(20), fc.nat(Number.MAX_SAFE_INTEGER));
const rangeText = fc.oneof(
  fieldValue,
  textOf('0123456789-,= b', ['bytes=', 'bytes=0-', 'Bytes', '99999999999999999999', '1e3', '0x1']),
);

forAll('a range lies in the file', fc.record({ header: rangeText, size }), ({ header, size }) => {
  const range = parseByteRange(header, size);
  if (typeof range === 'string') return;
  assert.ok(0 <= range.start && range.start <= range.end && range.end < size, JSON.stringify(range));
});

forAll(
  'a plain range is the bytes that it names',
  fc.record({ first: fc.nat(30), last: fc.nat(30), size: fc.integer({ min: 1, max: 30 }) }),
  ({ first, last, size }) => {
    const positions = Array.from({ length: size }, (_, at) => at);
    const slices: [string, number[]][] = [
      [`bytes=${first}-${last}`, positions.slice(first, last + 1)],
      [`bytes=${first}-`, positions.slice(first)],
      [`bytes=-${last}`, last === 0 ? [] : positions.slice(-last)],
    ];
    for (const [header, wanted] of slices) {
      const range = parseByteRange(header, size);
      if (range === 'whole') assert.ok(last < first);
      else if (range === 'unsatisfiable') assert.deepEqual(wanted, []);
      else assert.deepEqual([range.start, range.end], [wanted[0], wanted.at(-1)]);
    }
  },
);

const codings = ['br', 'gzip', 'zstd', 'identity', '*', 'deflate'] as const;
const weighted = fc.record({ coding: fc.constantFrom(...codings), thousandths: fc.nat(1_000) });

forAll(
  'the encoding is one that the client takes, and none that it likes better was there',
  fc.uniqueArray(weighted, { selector: ({ coding }) => coding, maxLength: 6 }),
  (wishes) => {
    const header = wishes.map(({ coding, thousandths }) => `${coding};q=${thousandths / 1_000}`).join(', ');
    const weightOf = (coding: string) =>
      (wishes.find((wish) => wish.coding === coding) ?? wishes.find((wish) => wish.coding === '*'))
        ?.thousandths ?? 0;
    const offered = ['br', 'gzip'] as const;
    const chosen = chooseEncoding(header, offered);
    assert.equal(chooseEncoding(header, offered), chosen, 'asked again');
    if (chosen === 'identity') {
      const identity = wishes.find(({ coding }) => coding === 'identity')?.thousandths ?? 0;
      for (const each of offered) assert.ok(weightOf(each) === 0 || weightOf(each) < identity);
    } else {
      assert.ok(weightOf(chosen) > 0);
      for (const each of offered) assert.ok(weightOf(each) <= weightOf(chosen));
    }
  },
);

const encodingText = textOf('gzipbr*;=q01., \t', ['gzip', 'br', ';q=', '0.5', 'q=2', '__proto__', 'x-gzip']);

forAll('any Accept-Encoding gets an encoding that is there', fc.oneof(encodingText, fieldValue), (header) => {
  assert.ok(['br', 'gzip', 'identity'].includes(chooseEncoding(header, ['br', 'gzip'])));
  assert.equal(chooseEncoding(header, []), 'identity');
});

/** RFC 9110 section 8.8.3: any visible character but the quote, and bytes above 127. */
const tag = textOf("abc,-/*W!'\xff").map((opaque) => `"${opaque}"`);
const tagList = fc.array(fc.record({ tag, isWeak: fc.boolean() }), { minLength: 1, maxLength: 5 });

forAll(
  'a list of tags matches when the own one is in it',
  fc.record({ list: tagList, own: tag, separator: fc.constantFrom(',', ', ', ' ,\t') }),
  ({ list, own, separator }) => {
    const header = list.map(({ tag, isWeak }) => (isWeak ? `W/${tag}` : tag)).join(separator);
    const isListed = list.some(({ tag }) => tag === own);
    const isListedStrongly = list.some(({ tag, isWeak }) => tag === own && !isWeak);
    const none = evaluatePreconditions({ 'if-none-match': header }, own, 0);
    assert.equal(none, isListed ? 'not-modified' : 'proceed');
    const match = evaluatePreconditions({ 'if-match': header }, own, 0);
    assert.equal(match, isListedStrongly ? 'proceed' : 'failed');
  },
);

const condition = fc.option(
  fc.oneof(fieldValue, textOf('"*W/,ab 0', ['Thu, 01 Jan 1970 00:00:01 GMT', '"a"'])),
  {
    nil: undefined,
  },
);

forAll(
  'any conditions have an outcome, and a quoted If-Range is one tag',
  fc.record({ match: condition, none: condition, since: condition, unless: condition, range: condition }),
  ({ match, none, since, unless, range }) => {
    const headers = {
      ...(match !== undefined && { 'if-match': match }),
      ...(none !== undefined && { 'if-none-match': none }),
      ...(since !== undefined && { 'if-modified-since': since }),
      ...(unless !== undefined && { 'if-unmodified-since': unless }),
      ...(range !== undefined && { 'if-range': range }),
    };
    assert.ok(['proceed', 'not-modified', 'failed'].includes(evaluatePreconditions(headers, '"a"', 1_000)));
    if (range?.includes('"')) assert.equal(isRangeFresh(headers, '"a"', 1_000), range === '"a"');
  },
);
