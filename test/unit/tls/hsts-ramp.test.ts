import assert from 'node:assert/strict';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { HstsRamp } from '../../../src/tls/hsts-ramp.js';
import { makeFileTree } from '../../support/file-tree.js';
import { RecordingLog } from '../../support/recording-log.js';

const hour = 3600;
const year = 365 * 24 * hour;
const dayMs = 86_400_000;
const startMs = Date.parse('2026-03-01T12:00:00Z');

async function makeWorld(t: TestContext) {
  const folder = await makeFileTree(t, {});
  const file = join(folder, 'state', 'hsts.json');
  const log = new RecordingLog();
  const load = async () => {
    const ramp = new HstsRamp(file, log);
    await ramp.load();
    return ramp;
  };
  return { file, log, load };
}

test('off and on say the same at any time', async (t) => {
  const ramp = await (await makeWorld(t)).load();
  assert.equal(ramp.maxAgeSeconds('off', startMs), undefined);
  assert.equal(ramp.maxAgeSeconds('on', startMs), year);
});

test('an hour at first, a year after 30 days, over restarts too', async (t) => {
  const { file, log, load } = await makeWorld(t);
  const ramp = await load();
  assert.equal(ramp.maxAgeSeconds('ramp', startMs), hour);
  await ramp.note(true, startMs);
  await ramp.note(true, startMs + dayMs);
  assert.deepEqual(JSON.parse(await readFile(file, 'utf8')), { since: '2026-03-01T12:00:00.000Z' });
  const again = await load();
  await again.note(true, startMs + 2 * dayMs);
  assert.equal(again.maxAgeSeconds('ramp', startMs + 30 * dayMs - 1), hour);
  assert.equal(again.maxAgeSeconds('ramp', startMs + 30 * dayMs), year);
  assert.deepEqual(log.records, []);
});

test('a failure begins it anew, and is remembered', async (t) => {
  const { load } = await makeWorld(t);
  const ramp = await load();
  await ramp.note(true, startMs);
  await ramp.note(false, startMs + 40 * dayMs);
  assert.equal(ramp.maxAgeSeconds('ramp', startMs + 40 * dayMs), hour);
  const again = await load();
  await again.note(true, startMs + 41 * dayMs);
  assert.equal(again.maxAgeSeconds('ramp', startMs + 70 * dayMs), hour);
  assert.equal(again.maxAgeSeconds('ramp', startMs + 71 * dayMs), year);
});

test('a beginning that lies in the future, by a clock that was wrong, does not count', async (t) => {
  const ramp = await (await makeWorld(t)).load();
  await ramp.note(true, startMs + 400 * dayMs);
  await ramp.note(true, startMs);
  assert.equal(ramp.maxAgeSeconds('ramp', startMs + 30 * dayMs), year);
});

test('a file that is damaged, or cannot be written, is told, and costs only the time', async (t) => {
  const { file, log, load } = await makeWorld(t);
  await mkdir(join(file, '..'));
  await writeFile(file, 'no JSON');
  const ramp = await load();
  assert.equal(log.all('hsts-unread').length, 1);
  await rm(file);
  await mkdir(file);
  await ramp.note(true, startMs);
  assert.equal(log.all('hsts-unwritten').length, 1);
  assert.equal(ramp.maxAgeSeconds('ramp', startMs + 30 * dayMs), year);
});
