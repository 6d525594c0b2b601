import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import { test } from 'node:test';
import { actAsOwner } from '../../../src/privileges/act-as-owner.js';
import { FakeIdentity } from '../../support/fake-identity.js';

/** /usr is root's on every system. */
const rootsFolder = '/usr';

test('root acts in its own folder as it is: nothing is called that a Node.js or a service may be forbidden', async () => {
  const fake = Object.assign(new FakeIdentity(), { isKeptByNode: true });
  assert.equal(await actAsOwner(rootsFolder, async () => 'asked', fake.identity), 'asked');
  assert.deepEqual(fake.steps, []);
});

test('who acts as a user becomes root for a folder of root, and is that user again afterwards, after an error too', async () => {
  for (const act of [async () => 'asked', async () => Promise.reject(new Error('no answer'))]) {
    const fake = new FakeIdentity();
    fake.identity.seteuid(1001);
    const ended = await actAsOwner(rootsFolder, act, fake.identity).catch((error: Error) => error.message);
    assert.match(ended, /^(?:asked|no answer)$/);
    assert.deepEqual(fake.steps, ['seteuid 1001', 'seteuid 0', 'seteuid 1001']);
  }
});

test('who is not root just does it', async () => {
  const fake = new FakeIdentity(1001);
  assert.equal(await actAsOwner(tmpdir(), async () => 'asked', fake.identity), 'asked');
  assert.deepEqual(fake.steps, []);
});
