import assert from 'node:assert/strict';
import { test } from 'node:test';
import { importBenchmark } from '../../support/import-benchmark.js';

interface Row {
  readonly name: string;
  readonly isQuick?: boolean;
}

interface Options {
  readonly rows: readonly Row[];
  readonly rounds: number;
  readonly seconds: number;
  readonly accessLogs: readonly boolean[];
}

const { readOptions } = await importBenchmark<{
  readOptions(args: readonly string[], rows: readonly Row[]): Options;
}>('options.mjs');

type FullRow = Row & { readonly contenders: readonly { readonly name: string }[] };

const { rows } = await importBenchmark<{ rows: readonly FullRow[] }>('rows.mjs');
const { hopRows } = await importBenchmark<{ hopRows: readonly FullRow[] }>('hop-rows.mjs');

const some = [{ name: 'a', isQuick: true }, { name: 'b' }, { name: 'c' }];

function namesFor(...args: string[]): string[] {
  return readOptions(args, some).rows.map(({ name }) => name);
}

test('all rows, some, or the quick ones', () => {
  assert.deepEqual(namesFor(), ['a', 'b', 'c']);
  assert.deepEqual(namesFor('--only', 'c,a'), ['c', 'a']);
  assert.deepEqual(namesFor('--quick'), ['a']);
});

test('access logs are on or off for everybody, or one after the other', () => {
  assert.deepEqual(readOptions([], some).accessLogs, [true]);
  assert.deepEqual(readOptions(['--access-log', 'off'], some).accessLogs, [false]);
  assert.deepEqual(readOptions(['--access-log', 'both'], some).accessLogs, [true, false]);
});

test('what cannot be is refused before anything runs', () => {
  for (const [args, message] of [
    [['--only', 'd'], /no row d/],
    [['--rounds', '0'], /--rounds is a whole number from 1/],
    [['--seconds', '0.5'], /--seconds is a whole number from 1/],
    [['--access-log', 'maybe'], /on, off or both/],
    [['--write', '--quick'], /--write takes all rows/],
    [['--nonsense'], /--nonsense/],
  ] as const) {
    assert.throws(() => readOptions(args, some), message);
  }
});

test('within a row every contender has a name of its own, and easyserve comes first', () => {
  for (const { name, contenders } of [...rows, ...hopRows]) {
    const names = contenders.map((contender) => contender.name);
    assert.equal(new Set(names).size, names.length, name);
    assert.equal(names[0], 'easyserve', name);
  }
});
