import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressKey } from '../../../../src/front/limits/address-key.js';

test('an IPv4 address counts for itself, an IPv6 address for its /64', () => {
  for (const [address, key] of [
    ['192.0.2.1', '192.0.2.1'],
    ['2001:db8::1', '2001:0db8:0000:0000::/64'],
    ['2001:DB8:0:0:ffff::9', '2001:0db8:0000:0000::/64'],
    ['2001:db8:0:1::', '2001:0db8:0000:0001::/64'],
    ['2001:db8:1:2:3:4:5:6', '2001:0db8:0001:0002::/64'],
    ['::1', '0000:0000:0000:0000::/64'],
    ['fe80::1%eth0', 'fe80:0000:0000:0000::/64'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::ffff:c000:201', '192.0.2.1'],
    ['64:ff9b::192.0.2.1', '192.0.2.1'],
    ['64:ff9b::c000:202', '192.0.2.2'],
    ['', ''],
  ] as const) {
    assert.equal(addressKey(address), key, address);
  }
});
