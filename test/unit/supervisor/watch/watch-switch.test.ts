import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SettingsWatch } from '../../../../src/supervisor/watch/settings-watch.js';
import { WatchSwitch } from '../../../../src/supervisor/watch/settings-watch.js';

/** Says what happens to the watches that it makes, each step a little later. */
function makeSwitch(): { watch: WatchSwitch; said: string[] } {
  const said: string[] = [];
  const later = (what: string) =>
    new Promise<void>((resolve) => setImmediate(() => resolve(void said.push(what))));
  const watch = new WatchSwitch(async () => {
    await later('opened');
    return { close: () => later('closed') } as SettingsWatch;
  });
  return { watch, said };
}

test('on and off', async () => {
  const { watch, said } = makeSwitch();
  await watch.turn(true);
  await watch.turn(true);
  assert.deepEqual(said, ['opened']);
  await watch.turn(false);
  await watch.turn(false);
  assert.deepEqual(said, ['opened', 'closed']);
});

test('turns that come at once are done in order', async () => {
  const { watch, said } = makeSwitch();
  await Promise.all([watch.turn(true), watch.turn(false), watch.turn(true), watch.turn(false)]);
  assert.deepEqual(said, ['opened', 'closed', 'opened', 'closed']);
});
