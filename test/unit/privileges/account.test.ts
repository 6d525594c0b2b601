import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import { test } from 'node:test';
import {
  type Account,
  applicationEnvironment,
  chooseAccount,
  type RootFolderRules,
  requireUserChange,
  type WantedAccount,
} from '../../../src/privileges/account.js';
import { FakeIdentity } from '../../support/fake-identity.js';

const onServer: RootFolderRules = { adoptedBy: () => undefined, containerSign: () => undefined };

function choose(
  fake: FakeIdentity,
  wanted: Partial<WantedAccount>,
  folder = tmpdir(),
  rules = onServer,
): Account | undefined {
  return chooseAccount({ user: null, group: null, ...wanted }, folder, fake.identity, fake.userInfo, rules);
}

const shop: Account = { uid: 1001, gid: 1001, name: 'shop', home: '/home/shop' };

test('root becomes the user that is named, by name or number, and is root again after the look', () => {
  for (const user of ['shop', '1001']) {
    const fake = new FakeIdentity();
    assert.deepEqual(choose(fake, { user }), shop);
    assert.deepEqual(
      [fake.uids, fake.gids],
      [
        [0, 0, 0],
        [0, 0, 0],
      ],
    );
  }
});

test('the group may be another one, and a number without an entry is enough', () => {
  assert.deepEqual(choose(new FakeIdentity(), { user: 'shop', group: 'media' }), {
    ...shop,
    gid: 1002,
  });
  const account = choose(new FakeIdentity(), { user: '4711', group: '12' });
  assert.deepEqual(account, { uid: 4711, gid: 12, name: undefined, home: '/' });
});

test('without a user it is the owner of the folder; root has to be said', () => {
  // The root folder is root's.
  assert.throws(() => choose(new FakeIdentity(), {}, '/'), { code: 'root-refused' });
  assert.equal(choose(new FakeIdentity(), { user: 'root' }, '/'), undefined);
  // Not root: the folder may come a moment later.
  assert.throws(() => choose(new FakeIdentity(), {}, '/no/such/folder'), { code: 'project-missing' });
});

test('a folder of root runs as the user that has adopted it, and in a container as root', () => {
  const adoptedBy = (folder: string) => (folder === '/' ? 'shop' : undefined);
  const isContainer = { ...onServer, containerSign: () => 'it is process 1' };
  assert.deepEqual(choose(new FakeIdentity(), {}, '/', { ...isContainer, adoptedBy }), shop);
  assert.equal(choose(new FakeIdentity(), {}, '/', isContainer), undefined);
  assert.deepEqual(choose(new FakeIdentity(), { user: '4711' }, '/', isContainer)?.uid, 4711);
});

test('who is not root stays what he is, and calls nothing that a service may be forbidden', () => {
  for (const user of [null, 'shop', '1001']) {
    const fake = new FakeIdentity(1001);
    assert.equal(choose(fake, { user }), undefined);
    assert.deepEqual(fake.steps, []);
  }
  assert.throws(() => choose(new FakeIdentity(1001), { user: 'daemon' }), { code: 'user-not-permitted' });
});

test('a Node.js that changes no user is named with the command that brings another, and keeps what needs no change', () => {
  const kept = () => Object.assign(new FakeIdentity(), { isKeptByNode: true });
  const refused = { code: 'node-keeps-user', hint: /^npm install --global node@22, as root/ };
  for (const user of ['shop', '1001']) {
    assert.throws(() => choose(kept(), { user }), refused);
  }
  const adopted = { ...onServer, adoptedBy: () => 'shop' };
  assert.throws(() => choose(kept(), {}, '/', adopted), refused);
  assert.throws(() => requireUserChange(kept().identity), refused);
  assert.equal(choose(kept(), { user: 'root' }, '/'), undefined);
  assert.equal(choose(kept(), {}, '/', { ...onServer, containerSign: () => 'it is process 1' }), undefined);
  for (const uid of [0, 1001]) requireUserChange(new FakeIdentity(uid).identity);
});

test('who is not there is named', () => {
  assert.throws(() => choose(new FakeIdentity(), { user: 'nobody-here' }), { code: 'user-unknown' });
  assert.throws(() => choose(new FakeIdentity(1001), { user: 'nobody-here' }), { code: 'user-unknown' });
  assert.throws(() => choose(new FakeIdentity(), { user: 'shop', group: 'none' }), {
    code: 'group-unknown',
  });
});

const env = {
  PATH: '/bin',
  HOME: '/root',
  USER: 'root',
  NOTIFY_SOCKET: '/n',
  LISTEN_FDS: '1',
  WATCHDOG_USEC: '1',
};

test('what the service manager says is not for the application', () => {
  assert.deepEqual(applicationEnvironment(env, undefined), { PATH: '/bin', HOME: '/root', USER: 'root' });
});

test('the home and the names are those of the user that root has become', () => {
  const shop = { uid: 1001, gid: 1001, name: 'shop', home: '/home/shop' };
  const own = { PATH: '/bin', HOME: '/home/shop', USER: 'shop', LOGNAME: 'shop' };
  assert.deepEqual(applicationEnvironment(env, shop), own);
  const numbered = applicationEnvironment(env, { ...shop, name: undefined, home: '/' });
  assert.deepEqual([numbered.USER, numbered.HOME], ['1001', '/']);
});
