import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createAcmeWorld } from '../support/acme-world.js';
import { eventually } from '../support/eventually.js';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

test('a renewal window that the authority moves is followed, and the old certificate served meanwhile', async (t) => {
  const world = await createAcmeWorld(t, { validitySeconds: 90 * 86_400 });
  const published: string[][] = [];
  const manager = world.createManager(t, ['example.com'], {}, async (material) => {
    published.push(material.certificates.map(({ certificatePem }) => certificatePem));
    await world.answers.publish(material);
  });
  manager.start();
  await world.untilValid(manager);
  const first = world.answers.material.certificates[0]?.certificatePem ?? '';
  const now = Date.now();
  // As Pebble suggests by itself: a third of the lifetime before its end, a day earlier or later.
  await eventually(async () => assert.ok('window' in (await world.readRecord('example.com'))));
  const nextRenewalMs = Date.parse(manager.status()[0]?.nextRenewalAt ?? '');
  assert.ok(Math.abs(nextRenewalMs - now - 60 * 24 * hourMs) <= 25 * hourMs);
  await world.moveWindow(first, new Date(now - 2 * hourMs), new Date(now - hourMs));
  world.passTime(7 * hourMs);
  await world.log.seen('certificate-issued', 2);
  assert.equal(world.log.all('renewal-moved').length, 1);
  assert.equal(world.orders, 2);
  const second = world.answers.material.certificates[0]?.certificatePem ?? '';
  assert.notEqual(second, first);
  const since = published.findIndex((certificates) => certificates.includes(first));
  for (const certificates of published.slice(since)) assert.equal(certificates.length, 1);
  assert.deepEqual(world.log.all('certificate-failed'), []);
});

test('an authority that is down, and comes back without its accounts, delays the renewal and nothing else', async (t) => {
  const world = await createAcmeWorld(t, { validitySeconds: 6 * 3600 });
  const manager = world.createManager(t, ['example.com']);
  manager.start();
  await world.untilValid(manager);
  const [first] = world.answers.material.certificates;
  assert.ok(first);
  await world.pebble.stop();
  world.passTime(5 * hourMs);
  const failed = await world.log.seen('certificate-failed');
  assert.equal(failed.fields.code, 'acme-ca-unreachable');
  await eventually(() => assert.equal(manager.status()[0]?.state, 'failing'));
  const [status] = manager.status();
  assert.match(
    status?.lastError?.sentence ?? '',
    /^127\.0\.0\.1:\d+ can't be reached: it refuses connections\.$/,
  );
  assert.deepEqual(world.answers.material.certificates, [first], 'the old one is served');

  await world.pebble.start();
  world.passTime(2 * minuteMs);
  await world.log.seen('certificate-issued', 2);
  assert.notDeepEqual(world.answers.material.certificates, [first]);
  assert.equal(world.log.all('acme-account').length, 2);
});

test('two instances that share a folder order once, and both serve the certificate', async (t) => {
  const world = await createAcmeWorld(t);
  const published = [0, 0];
  const managers = [0, 1].map((index) =>
    world.createManager(t, ['example.com'], {}, async (material) => {
      published[index] = material.certificates.length;
      // The one that orders has port 80.
      if (material.httpChallenges.length > 0 || material.certificates.length > 0) {
        await world.answers.publish(material);
      }
    }),
  );
  for (const manager of managers) manager.start();
  for (const manager of managers) await world.untilValid(manager);
  assert.deepEqual(published, [1, 1]);
  assert.equal(world.orders, 1);
  assert.equal(world.log.all('certificate-issued').length, 1);
});

test('a domain that the DNS does not know fails in plain words, and holds back no other', async (t) => {
  const world = await createAcmeWorld(t, { unknownNames: new Set(['mistyped.example']) });
  const manager = world.createManager(t, ['mistyped.example', 'example.com']);
  manager.start();
  const failed = await world.log.seen('certificate-failed');
  await world.log.seen('certificate-issued');
  assert.deepEqual(failed.fields.names, ['mistyped.example']);
  await eventually(() => {
    const states = manager.status().map(({ names, state }) => [names[0], state]);
    assert.deepEqual(states, [
      ['mistyped.example', 'failing'],
      ['example.com', 'valid'],
    ]);
  });
  const error = manager.status()[0]?.lastError;
  assert.equal(error?.code, 'acme-dns');
  assert.match(error.sentence, /^The DNS .* mistyped\.example\.$/);
  assert.match(error.hint ?? '', /^dig mistyped\.example /);
});
