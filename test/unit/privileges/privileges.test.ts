import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Account } from '../../../src/privileges/account.js';
import { Privileges } from '../../../src/privileges/privileges.js';
import { FakeIdentity } from '../../support/fake-identity.js';

const shop: Account = { uid: 1001, gid: 1001, name: 'shop', home: '/home/shop' };
const noCapabilities = 'CapInh:\t0000000000000000\nCapPrm:\t0000000000000000\nCapEff:\t0000000000000000\n';

function makePrivileges(fake: FakeIdentity, account = shop, status = noCapabilities): Privileges {
  return new Privileges(account, fake.identity, { readStatus: () => status });
}

test('lowered, root acts as the user, and binds as root', () => {
  const fake = new FakeIdentity();
  const privileges = makePrivileges(fake);
  privileges.lower();
  assert.deepEqual(
    [fake.uids, fake.gids[1], fake.groups, fake.mask],
    [[0, 1001, 0], 1001, [1001, 1002], 0o027],
  );
  privileges.raised(() => assert.deepEqual(fake.uids, [0, 0, 0]));
  assert.equal(fake.uids[1], 1001);
  const failing = (): void => {
    throw new Error('taken');
  };
  assert.throws(() => privileges.raised(failing), /taken/);
  assert.equal(fake.uids[1], 1001);
});

test('dropped, there is no way back', () => {
  const fake = new FakeIdentity();
  const privileges = makePrivileges(fake);
  privileges.lower();
  privileges.drop();
  assert.deepEqual(
    [fake.uids, fake.gids, fake.groups],
    [
      [1001, 1001, 1001],
      [1001, 1001, 1001],
      [1001, 1002],
    ],
  );
  assert.equal(privileges.areKept, false);
  privileges.raised(() => assert.equal(fake.uids[1], 1001));
  const { length } = fake.steps;
  privileges.drop();
  assert.equal(fake.steps.length, length);
});

test('groups go before the user does, who could not change them', () => {
  const fake = new FakeIdentity();
  makePrivileges(fake).drop();
  assert.deepEqual(fake.steps.slice(0, 4), [
    'seteuid 0',
    'initgroups 1001,1002',
    'setgid 1001',
    'setuid 1001',
  ]);
});

test('a user without an entry has the one group', () => {
  const fake = new FakeIdentity();
  makePrivileges(fake, { ...shop, name: undefined }).drop();
  assert.deepEqual(fake.groups, [1001]);
});

test('a way back that is left is an error', () => {
  const broken = new FakeIdentity();
  broken.isBroken = true;
  assert.throws(() => makePrivileges(broken).drop(), { code: 'privileges-kept' });
  const capable = `${noCapabilities}CapAmb:\t0000000000000400\n`;
  assert.throws(() => makePrivileges(new FakeIdentity(), shop, capable).drop(), { code: 'privileges-kept' });
});

test('who has nothing to give up does nothing', () => {
  const fake = new FakeIdentity(1001);
  const without = new Privileges(undefined, fake.identity);
  without.lower();
  without.drop();
  assert.equal(
    without.raised(() => 'bound'),
    'bound',
  );
  assert.deepEqual([fake.steps, without.areKept], [[], false]);
});
