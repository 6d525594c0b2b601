import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync, readlinkSync } from 'node:fs';
import { constants } from 'node:http2';
import { type TestContext, test } from 'node:test';
import type { Exchange } from '../../../../../src/front/exchange.js';
import { serveFolder } from '../../../../../src/front/files/serve-folder.js';
import { answerOf, askHttp2 } from '../../../../support/ask-http2.js';
import { eventually } from '../../../../support/eventually.js';
import { makeFileTree } from '../../../../support/file-tree.js';
import { makeGatewayWorld } from '../../../../support/gateway-world.js';
import { makeHttpWorld, serveUpstream } from '../../../../support/http-world.js';
import { RecordingLog } from '../../../../support/recording-log.js';
import { secure, serveSecureFront } from '../../../../support/serve-secure-front.js';

const cancel = constants.NGHTTP2_CANCEL;

test('a client that gives up its answer frees the thread of a gateway, and its connection goes on', async (t) => {
  const world = await makeGatewayWorld(t);
  const site = await secure(t, world.served);
  const session = await site.http2();
  const stream = session.request({ ':path': '/endless' });
  const left = answerOf(stream);
  const { thread } = await world.gateway.nextFrame();
  thread.send('start', '200 OK');
  stream.once('response', () => stream.close(cancel));
  await left;
  await thread.closed();
  await world.gateway.connected(2);
  const answered = askHttp2(session, '/next');
  (await world.gateway.nextFrame()).thread.answer('next');
  assert.equal((await answered).text, 'next');
});

test('a client that gives up before the answer began: the thread is busy until then, and nothing is written', async (t) => {
  const world = await makeGatewayWorld(t);
  const site = await secure(t, world.served);
  const session = await site.http2();
  const stream = session.request({ ':path': '/' });
  const left = answerOf(stream);
  const { thread } = await world.gateway.nextFrame();
  stream.close(cancel);
  await left;
  await eventually(() => assert.ok(world.requests[0]?.isAbandoned));
  thread.answer('too late');
  await world.untilIdle(1);
  assert.equal(world.served.log.all('answer-malformed').length, 0);
});

for (const phase of ['before', 'in'] as const) {
  test(`a client that gives up ${phase} the answer of an HTTP server ends the request to it`, async (t) => {
    let closed = 0;
    const { server, path } = await serveUpstream(t, (_request, response) => {
      response.once('close', () => {
        closed += 1;
      });
      if (phase === 'in') response.write('some');
    });
    const asked = once(server, 'request');
    const world = await makeHttpWorld(t, path);
    const site = await secure(t, world.served);
    const stream = (await site.http2()).request({ ':path': '/' });
    if (phase === 'in') stream.once('data', () => stream.close(cancel));
    const left = answerOf(stream);
    await asked;
    if (phase === 'before') stream.close(cancel);
    await left;
    await world.until(() => world.client.inFlight === 0, 'none in flight');
    await eventually(() => assert.equal(closed, 1));
  });
}

test('a client that closes its connection has given up all its requests', async (t) => {
  const exchanges: Exchange[] = [];
  const site = await serveSecureFront(t, [(exchange) => exchanges.push(exchange) > 0]);
  const raw = await site.rawHttp2();
  raw.get(1);
  raw.get(3);
  await eventually(() => assert.equal(exchanges.length, 2));
  raw.socket.end();
  await eventually(() => assert.ok(exchanges.every(({ response }) => response.destroyed)));
  await eventually(() => assert.equal(site.served.front.connections, 0));
});

test('an answer that breaks off is reset after what came of it, and never ended', async (t) => {
  const world = await makeGatewayWorld(t);
  const site = await secure(t, world.served);
  const answered = askHttp2(await site.http2(), '/');
  const { thread } = await world.gateway.nextFrame();
  thread.send('start', '200 OK');
  thread.send('piece', '', 'x'.repeat(200_000));
  thread.die();
  const answer = await answered;
  assert.equal(answer.code, constants.NGHTTP2_INTERNAL_ERROR);
  assert.equal(answer.text.length, 200_000);
});

/** What this process has open below a folder. */
function openBelow(folder: string): string[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      const target = readlinkSync(`/proc/self/fd/${fd}`);
      return target.startsWith(folder) ? [target] : [];
    } catch {
      return [];
    }
  });
}

async function serveLargeFile(t: TestContext) {
  const root = await makeFileTree(t, { 'large.bin': Buffer.alloc(5_000_000) });
  const folder = { prefix: '/media/', root, maxAgeSeconds: 0, userContent: false };
  return { root, site: await serveSecureFront(t, [serveFolder(folder, new RecordingLog())]) };
}

test('a client that gives up a file leaves none open', async (t) => {
  const { root, site } = await serveLargeFile(t);
  const stream = (await site.http2()).request({ ':path': '/media/large.bin' });
  const left = answerOf(stream);
  stream.pause();
  await eventually(() => assert.notDeepEqual(openBelow(root), []));
  stream.close(cancel);
  await left;
  await eventually(() => assert.deepEqual(openBelow(root), []));
});

test('a file goes out whole, and its parts', async (t) => {
  const { site } = await serveLargeFile(t);
  const session = await site.http2();
  assert.equal((await askHttp2(session, '/media/large.bin')).body.length, 5_000_000);
  const part = await askHttp2(session, { ':path': '/media/large.bin', range: 'bytes=10-19' });
  assert.deepEqual([part.status, part.body.length], [206, 10]);
  const head = await askHttp2(session, { ':method': 'HEAD', ':path': '/media/large.bin' });
  assert.deepEqual([head.status, head.headers['content-length'], head.code], [200, '5000000', 0]);
  const { etag = '' } = head.headers;
  const known = await askHttp2(session, { ':path': '/media/large.bin', 'if-none-match': etag });
  assert.deepEqual([known.status, known.code], [304, 0]);
});
