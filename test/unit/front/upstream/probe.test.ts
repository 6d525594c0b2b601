import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type GatewayWorld, makeGatewayWorld } from '../../../support/gateway-world.js';
import { makeProbe } from '../../../support/make-probe.js';

const probe = makeProbe({ path: '/up%20there/?now=1', host: 'shop.example:8443', timeoutMs: 5000 });

function refusal(promise: Promise<unknown>, message: RegExp): Promise<void> {
  return assert.rejects(promise, message);
}

test('one GET with the real host', async (t) => {
  const { client, gateway, served } = await makeGatewayWorld(t, { isMultiprocess: true });
  const probing = client.probe(probe);
  const { thread, environ, flags } = await gateway.nextFrame();
  assert.equal(environ.REQUEST_METHOD, 'GET');
  assert.equal(environ.PATH_INFO, '/up there/');
  assert.equal(environ.QUERY_STRING, 'now=1');
  assert.equal(environ.HTTP_HOST, 'shop.example:8443');
  assert.deepEqual([environ.SERVER_NAME, environ.SERVER_PORT], ['shop.example', '8443']);
  assert.equal(environ['wsgi.url_scheme'], 'http');
  assert.equal(flags, 1);
  thread.answer('fine');
  assert.deepEqual(await probing, { status: 200, bodyHead: 'fine' });
  assert.equal(client.idle, 1);
  assert.equal(served.clock.pending, 0);
});

test('by https, as a proxy passes it on, below a prefix', async (t) => {
  const { client, gateway } = await makeGatewayWorld(t);
  const proxyHeaders = { 'x-forwarded-protocol': 'ssl' };
  const probing = client.probe(
    makeProbe({ path: '/shop/cart?x', scheme: 'https', proxyHeaders, scriptName: '/shop' }),
  );
  const { thread, environ } = await gateway.nextFrame();
  assert.equal(environ['wsgi.url_scheme'], 'https');
  assert.equal(environ.SERVER_PORT, '443');
  assert.equal(environ.HTTP_X_FORWARDED_PROTO, 'https');
  assert.equal(environ.HTTP_X_FORWARDED_PROTOCOL, 'ssl');
  assert.deepEqual([environ.SCRIPT_NAME, environ.PATH_INFO], ['/shop', '/cart']);
  thread.send('whole', '302 Found\0Location\0/shop/login');
  assert.deepEqual(await probing, { status: 302, bodyHead: '', location: '/shop/login' });
});

test('two at once, on one thread', async (t) => {
  const { client, gateway } = await makeGatewayWorld(t);
  const both = Promise.all([client.probe(probe), client.probe(probe)]);
  for (let count = 0; count < 2; count += 1) (await gateway.nextFrame()).thread.answer();
  assert.deepEqual(
    (await both).map(({ status }) => status),
    [200, 200],
  );
});

test('it waits for the first thread', async (t) => {
  const { client, gateway } = await makeGatewayWorld(t, { threads: 2, isReady: false });
  const probing = client.probe(probe);
  const thread = await gateway.connected(2);
  thread.send('hello', '1');
  (await gateway.nextFrame()).thread.answer();
  assert.equal((await probing).status, 200);
});

const answers: [
  what: string,
  answer: (world: GatewayWorld) => Promise<void>,
  status: number,
  body: string,
][] = [
  [
    'an answer in pieces, of which the beginning is kept',
    async ({ gateway }) => {
      const { thread } = await gateway.nextFrame();
      thread.send('start', '503 Busy', 'x'.repeat(1500));
      thread.send('piece', '', 'y'.repeat(1500));
      thread.send('end');
    },
    503,
    `${'x'.repeat(1500)}${'y'.repeat(500)}`,
  ],
  [
    'an exception before the answer',
    async ({ gateway }) => void (await gateway.nextFrame()).thread.send('failed'),
    500,
    '',
  ],
  [
    'a file',
    async ({ gateway }) => {
      const { thread } = await gateway.nextFrame();
      thread.send('file', '200 OK', '/nowhere\x000\x0010\x001\x001');
      await gateway.nextFrame();
      thread.send('end');
    },
    200,
    '',
  ],
];
for (const [what, answer, status, bodyHead] of answers) {
  test(what, async (t) => {
    const world = await makeGatewayWorld(t);
    const probing = world.client.probe(probe);
    await answer(world);
    assert.deepEqual(await probing, { status, bodyHead });
    await world.untilIdle(1);
  });
}

test('an exception in mid-answer', async (t) => {
  const { client, gateway } = await makeGatewayWorld(t);
  const probing = refusal(client.probe(probe), /exception in the middle/);
  const { thread } = await gateway.nextFrame();
  thread.send('start', '200 OK', 'half');
  thread.send('abort');
  await probing;
});

test('a malformed answer', async (t) => {
  const { client, gateway } = await makeGatewayWorld(t);
  const probing = refusal(client.probe(probe), /malformed: status "20"/);
  (await gateway.nextFrame()).thread.send('whole', '20');
  await probing;
});

test('no answer in time; the thread is idle again when it answers', async (t) => {
  const world = await makeGatewayWorld(t);
  const probing = refusal(world.client.probe(probe), /no answer within 5 s/);
  const { thread } = await world.gateway.nextFrame();
  world.served.clock.advance(5000);
  await probing;
  assert.equal(world.client.idle, 0);
  thread.answer();
  await world.untilIdle(1);
});

test('no thread in time: it is not sent any more', async (t) => {
  const world = await makeGatewayWorld(t, { isReady: false });
  const probing = refusal(world.client.probe(probe), /no answer within 5 s/);
  const thread = await world.gateway.connected(1);
  world.served.clock.advance(5000);
  await probing;
  thread.send('hello', '0');
  await world.untilIdle(1);
  assert.deepEqual(world.gateway.frames, []);
});

test('the process dies', async (t) => {
  const { client, gateway, lost } = await makeGatewayWorld(t);
  const probing = refusal(client.probe(probe), /process ended/);
  (await gateway.nextFrame()).thread.die();
  await probing;
  assert.deepEqual(lost, []);
});

for (const isSent of [true, false]) {
  test(`the client is closed, with the probe ${isSent ? 'sent' : 'waiting'}`, async (t) => {
    const { client, gateway, served } = await makeGatewayWorld(t, { isReady: isSent });
    const probing = refusal(client.probe(probe), /process ended/);
    if (isSent) await gateway.nextFrame();
    client.close();
    await probing;
    assert.equal(served.clock.pending, 0);
  });
}
