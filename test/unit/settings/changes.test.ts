import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Settings } from '../../../src/settings/settings.js';
import { compareSettings } from '../../../src/settings/settings.js';
import { load, makeProject } from './project-folder.js';

test('equal settings have no changes, whichever objects hold them', (t) => {
  const projectDir = makeProject(t);
  const env = { EASYSERVE_TRUSTED_PROXIES: '::1', EASYSERVE_ACCEL_ROOTS: '/a/=/b' };
  const changes = compareSettings(load(projectDir, { env }).settings, load(projectDir, { env }).settings);
  assert.deepEqual(changes, []);
});

test('a change tells from what to what, and what it needs', (t) => {
  const before = load(makeProject(t)).settings;
  const after: Settings = { ...before, threads: 4, trustedProxies: ['::1'], accelRoots: { '/a/': '/b' } };
  assert.deepEqual(compareSettings(before, after), [
    { key: 'threads', from: 'auto', to: 4, effect: 'generation' },
    { key: 'accelRoots', from: {}, to: { '/a/': '/b' }, effect: 'live' },
    { key: 'trustedProxies', from: 'auto', to: ['::1'], effect: 'live' },
  ]);
});

const effects: readonly (readonly [Partial<Settings>, string])[] = [
  [{ logLevel: 'debug' }, 'live'],
  [{ app: 'a:b' }, 'generation'],
  [{ port: 81 }, 'listeners'],
  [{ fronts: 2 }, 'restart'],
];

for (const [change, effect] of effects) {
  test(`${Object.keys(change).join()}: ${effect}`, (t) => {
    const before = load(makeProject(t)).settings;
    assert.equal(compareSettings(before, { ...before, ...change })[0]?.effect, effect);
  });
}
