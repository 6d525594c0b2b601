import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';

const modulePath = new URL('../../../src/supervisor/supervisor-heap.js', import.meta.url).href;

/** In a process of its own, whose heap is as it was born: the size of the space for young objects, in MB, after each step. */
const program = `
import { getHeapSpaceStatistics } from 'node:v8';
import { keepHeapSmall, letHeapGrow } from '${modulePath}';

function makeObjects() {
  const kept = [];
  for (let count = 0; count < 3_000_000; count++) kept[count % 5000] = { count, list: [count] };
  const space = getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space');
  return space.space_size / 1e6;
}

keepHeapSmall();
const small = makeObjects();
letHeapGrow();
console.log(JSON.stringify([small, makeObjects()]));
`;

test('the space for young objects stays small, until it may grow', async () => {
  const args = ['--input-type=module', '--eval', program];
  const { stdout, stderr } = await promisify(execFile)(process.execPath, args, { timeout: 60_000 });
  assert.equal(stderr, '', 'V8 knows the flags');
  const [small = 0, grown = 0] = JSON.parse(stdout);
  assert.ok(small < 5, `${small} MB`);
  assert.ok(grown > 10, `${grown} MB`);
});
