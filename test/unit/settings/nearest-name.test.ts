import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nearestName } from '../../../src/settings/nearest-name.js';
import { settingKeys } from '../../../src/settings/schema.js';

const expected: readonly (readonly [string, string | undefined])[] = [
  ['prot', 'port'],
  ['ports', 'port'],
  ['PORT', 'port'],
  ['thread', 'threads'],
  ['proceses', 'processes'],
  ['drain_timeout', 'drainTimeoutMs'],
  ['drainTimeoutMS', 'drainTimeoutMs'],
  ['max-body-byte', 'maxBodyBytes'],
  ['readyTimeout', 'readyTimeoutMs'],
  ['host', 'host'],
  ['database', undefined],
  ['x', undefined],
  ['', undefined],
];

for (const [given, meant] of expected) {
  test(`the key nearest to ${JSON.stringify(given)} is ${meant}`, () => {
    assert.equal(nearestName(given, settingKeys), meant);
  });
}

test('of two that are near the nearer one is taken', () => {
  assert.equal(nearestName('bodies', ['boddles', 'bodie']), 'bodie');
});
