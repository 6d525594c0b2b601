import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readRssBytes } from '../../../../src/app/process/process-memory.js';

test('the size of a process; undefined for one that is not there', async () => {
  const told = process.memoryUsage.rss();
  const bytes = await readRssBytes(process.pid);
  assert.ok(bytes !== undefined && bytes > told / 2 && bytes < told * 2, `${bytes} against ${told}`);
  assert.equal(await readRssBytes(2 ** 30), undefined);
});
