import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { AcmeError } from '../../../../src/tls/acme/acme-error.js';
import { createAcmeManagerWorld } from '../../../support/acme-manager-world.js';
import { eventually } from '../../../support/eventually.js';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

test('orders at the start, renews at two thirds, and leaves nothing behind when it stops', async (t) => {
  const world = await createAcmeManagerWorld(t);
  const manager = world.createManager(t, world.settings(['Example.com', 'example.com']));
  manager.start();
  await world.log.seen('certificate-issued');
  await world.untilIdle();
  const [status] = manager.status();
  assert.equal(manager.status().length, 1, 'the name was given twice');
  assert.equal(status?.state, 'valid');
  assert.equal(status.issuer, 'easyserve test authority');
  assert.equal(status.notAfter, new Date(world.wallNow() + 90 * dayMs).toISOString());
  const renewalMs = Date.parse(status.nextRenewalAt ?? '') - world.wallNow();
  assert.ok(renewalMs > 57 * dayMs && renewalMs <= 60 * dayMs);
  const first = world.published.at(-1)?.certificates[0];
  assert.deepEqual(first?.names, ['example.com']);

  world.skewMs = 57 * dayMs;
  await world.pass(hourMs);
  assert.equal(world.orderer.requests.length, 1);
  world.skewMs = 61 * dayMs;
  await world.pass(hourMs);
  assert.equal(world.orderer.requests.length, 2);
  const [firstOrder, renewal] = world.orderer.requests;
  assert.deepEqual([firstOrder?.isFirst, renewal?.isFirst], [true, false]);
  assert.equal(firstOrder?.replaces, undefined);
  assert.match(renewal?.replaces ?? '', /^[\w-]+\.[\w-]+$/, 'the certificate that is replaced is named');
  assert.notDeepEqual(world.published.at(-1)?.certificates[0], first);
  for (const { certificates } of world.published.slice(2)) assert.equal(certificates.length, 1);
  await manager.stop();
  assert.equal(world.clock.pending, 0);
});

test('a stop in the middle of an order takes nothing from the fronts', async (t) => {
  const world = await createAcmeManagerWorld(t);
  const manager = world.createManager(t, world.settings(['example.com', 'slow.example']));
  const order = world.orderer.order.bind(world.orderer);
  world.orderer.order = async (request) => {
    if (request.names[0] !== 'slow.example') return order(request);
    const answers = { httpChallenges: [{ token: 'a', keyAuthorization: 'a.b' }], alpnCertificates: [] };
    const takeBack = await world.publishChallenges?.(answers);
    await once(request.signal, 'abort');
    await takeBack?.();
    throw new AcmeError('acme-stopped', 'stops');
  };
  manager.start();
  await world.log.seen('certificate-issued');
  await world.log.seen('certificate-order', 2);
  await eventually(() => assert.equal(world.published.at(-1)?.httpChallenges.length, 1));
  await manager.stop();
  const { certificates, httpChallenges } = world.published.at(-1) ?? {};
  assert.deepEqual([certificates?.length, httpChallenges?.length], [1, 0]);
  assert.deepEqual(world.log.all('certificate-failed'), []);
  assert.equal(world.clock.pending, 0);
});

test('failures are repeated with growing pauses, also over a restart', async (t) => {
  const world = await createAcmeManagerWorld(t);
  const failure = new AcmeError('acme-dns', 'The DNS does not know example.com.', {
    hint: 'dig example.com',
  });
  world.orderer.failures.set('example.com', [failure, failure, failure]);
  const manager = world.createManager(t, world.settings(['example.com']));
  manager.start();
  await world.log.seen('certificate-failed');
  await world.untilIdle();
  const [status] = manager.status();
  assert.equal(status?.state, 'failing');
  assert.deepEqual(status.lastError, {
    code: 'acme-dns',
    sentence: 'The DNS does not know example.com.',
    hint: 'dig example.com',
    detail: undefined,
    at: new Date(world.wallNow()).toISOString(),
  });
  assert.equal(Date.parse(status.nextRenewalAt ?? '') - world.wallNow(), minuteMs);
  await manager.stop();

  for (let restart = 0; restart < 3; restart++) {
    const again = world.createManager(t, world.settings(['example.com']));
    again.start();
    await world.untilIdle();
    assert.equal(again.status()[0]?.state, 'failing', 'what failed is known after a restart');
    await again.stop();
  }
  assert.equal(world.orderer.requests.length, 1, 'a restart orders nothing before its time');

  const last = world.createManager(t, world.settings(['example.com']));
  last.start();
  await world.pass(minuteMs);
  assert.equal(world.orderer.requests.length, 2);
  await world.pass(2 * minuteMs - 1);
  assert.equal(world.orderer.requests.length, 2);
  await world.pass(1);
  assert.equal(world.orderer.requests.length, 3);
  await world.pass(5 * minuteMs);
  assert.equal(last.status()[0]?.state, 'valid');
  assert.equal(last.status()[0]?.lastError, undefined);
});

test('a limit of the authority is kept to, whatever the settings are changed to', async (t) => {
  const world = await createAcmeManagerWorld(t);
  const limited = new AcmeError('acme-rate-limited', 'no more orders', { retryAfterMs: 30 * hourMs });
  world.orderer.failures.set('example.com', [limited]);
  const manager = world.createManager(t, world.settings(['example.com']));
  manager.start();
  await world.log.seen('certificate-failed');
  await world.untilIdle();
  manager.configure(world.settings(['example.com'], { acmeEmail: 'somebody@example.com' }));
  await world.pass(30 * hourMs - 1);
  assert.equal(world.orderer.requests.length, 1);
  await world.pass(2);
  assert.equal(world.orderer.requests.length, 2);
});

test('a change of the settings tries at once what failed, and keeps what is served', async (t) => {
  const world = await createAcmeManagerWorld(t);
  world.orderer.failures.set('b.example', [new AcmeError('acme-terms', 'wants its terms agreed to')]);
  const manager = world.createManager(
    t,
    world.settings(['a.example', 'b.example'], { acmeAgreeTerms: false }),
  );
  manager.start();
  await world.log.seen('certificate-failed');
  await world.log.seen('certificate-issued');
  await world.untilIdle(2);
  const other = { ...world.settings(['a.example', 'b.example'], { acmeAgreeTerms: false }), threads: 7 };
  manager.configure(other);
  await world.untilIdle(2);
  assert.equal(world.orderer.requests.length, 2, 'what does not concern it changes nothing');
  const before = world.published.length;
  manager.configure(world.settings(['a.example', 'b.example'], { acmeAgreeTerms: true }));
  await world.log.seen('certificate-issued', 2);
  await world.untilIdle(2);
  assert.equal(world.orderer.requests.length, 3, 'a.example is not ordered again');
  for (const { certificates } of world.published.slice(before)) {
    assert.ok(certificates.some(({ names }) => names[0] === 'a.example'));
  }
  manager.configure(world.settings(['b.example', 'c.example'], { acmeAgreeTerms: true }));
  await world.log.seen('certificate-issued', 3);
  await world.untilIdle(2);
  const names = world.published.at(-1)?.certificates.map((each) => each.names[0]);
  assert.deepEqual(names, ['b.example', 'c.example']);
});

test('a domain whose order hangs holds back no other', async (t) => {
  const world = await createAcmeManagerWorld(t);
  let open: () => void = () => undefined;
  const hang = new Promise<void>((resolve) => {
    open = resolve;
  });
  const order = world.orderer.order.bind(world.orderer);
  world.orderer.order = async (request) => {
    if (request.names[0] === 'slow.example') await hang;
    return order(request);
  };
  const manager = world.createManager(t, world.settings(['slow.example', 'example.com']));
  manager.start();
  await world.log.seen('certificate-issued');
  assert.deepEqual(world.published.at(-1)?.certificates[0]?.names, ['example.com']);
  assert.equal(manager.status()[0]?.state, 'placeholder');
  open();
  await world.log.seen('certificate-issued', 2);
});

test('another directory: the old certificate is served until there is a new one', async (t) => {
  const world = await createAcmeManagerWorld(t);
  const manager = world.createManager(t, world.settings(['example.com']));
  manager.start();
  await world.log.seen('certificate-issued');
  await manager.stop();
  const first = world.published.at(-1)?.certificates[0];
  world.orderer.failures.set('example.com', [new AcmeError('acme-ca-unreachable', 'is down')]);
  const other = world.settings(['example.com'], { acmeDirectory: 'https://ca.example/dir' });
  const next = world.createManager(t, other);
  next.start();
  await world.log.seen('certificate-failed');
  await world.untilIdle();
  assert.deepEqual(world.published.at(-1)?.certificates, [first]);
  await world.pass(2 * minuteMs);
  assert.notDeepEqual(world.published.at(-1)?.certificates, [first]);
});

test('challenges are published with the certificates, and taken back', async (t) => {
  const world = await createAcmeManagerWorld(t);
  const manager = world.createManager(t, world.settings(['example.com']));
  manager.start();
  await world.log.seen('certificate-issued');
  await world.untilIdle();
  const answers = { httpChallenges: [{ token: 'a', keyAuthorization: 'a.b' }], alpnCertificates: [] };
  const takeBack = await world.publishChallenges?.(answers);
  const { certificates, httpChallenges } = world.published.at(-1) ?? {};
  assert.deepEqual([certificates?.length, httpChallenges], [1, answers.httpChallenges]);
  await takeBack?.();
  assert.deepEqual(world.published.at(-1)?.httpChallenges, []);
});

test('fronts that take nothing: the authority is not told to look, and the stop does not wait for them', async (t) => {
  const world = await createAcmeManagerWorld(t);
  const manager = world.createManager(t, world.settings([]));
  manager.start();
  world.publish = () => Promise.reject(new Error('no front there'));
  const answers = { httpChallenges: [{ token: 'a', keyAuthorization: 'a.b' }], alpnCertificates: [] };
  const published = world.publishChallenges?.(answers) ?? Promise.resolve();
  await assert.rejects(published, { code: 'acme-not-published' });
  world.publish = () => new Promise(() => undefined);
  manager.configure(world.settings(['example.com']));
  let isStopped = false;
  const stopped = manager.stop().then(() => {
    isStopped = true;
  });
  while (!isStopped) await world.clock.advanceAsync(15_000);
  await stopped;
  assert.equal(world.clock.pending, 0);
  assert.ok(world.log.all('certificates-not-published').length >= 2);
});
