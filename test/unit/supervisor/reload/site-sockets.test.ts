import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { type TestContext, test } from 'node:test';
import type { Scheme } from '../../../../src/contracts/scheme.js';
import type { Settings } from '../../../../src/settings/settings.js';
import { ListeningSocket } from '../../../../src/sockets/listening-socket.js';
import {
  bindMissing,
  closeAll,
  moveSockets,
  prepareSockets,
  type SiteSockets,
  urlsOf,
} from '../../../../src/supervisor/reload/site-sockets.js';
import { findFreePort, releaseWith, takePort } from '../../../support/instance-world.js';
import { RecordingLog } from '../../../support/recording-log.js';

const both: Partial<Settings> = { https: true, httpsPort: 0 };

/** As a site has them: bound sockets alone do not keep others off a port. */
async function open(t: TestContext, settings: Partial<Settings>): Promise<SiteSockets> {
  const sockets = await bindMissing(new Map(), releaseWith(settings), new RecordingLog());
  for (const socket of sockets.values()) await listenOn(t, socket);
  t.after(() => closeAll(sockets.values()));
  return sockets;
}

async function listenOn(t: TestContext, socket: ListeningSocket): Promise<void> {
  const server = createServer().listen(socket.handle);
  await new Promise((resolve) => server.once('listening', resolve));
  t.after(() => server.close());
}

function portOf(sockets: SiteSockets, scheme: Scheme): number {
  const port = sockets.get(scheme)?.port;
  assert.ok(port);
  return port;
}

async function move(t: TestContext, before: SiteSockets, settings: Partial<Settings>) {
  const log = new RecordingLog();
  const moved = await moveSockets(before, releaseWith(settings), log);
  t.after(() => closeAll(moved.opened));
  return { ...moved, log };
}

async function prepare(t: TestContext, before: SiteSockets, settings: Partial<Settings>) {
  const log = new RecordingLog();
  const prepared = await prepareSockets(before, releaseWith(settings), log);
  t.after(() => closeAll(prepared.values()));
  return { prepared, log };
}

/** Whether somebody can bind it now. */
async function isFree(port: number): Promise<boolean> {
  try {
    (await ListeningSocket.bind('127.0.0.1', port)).close();
    return true;
  } catch {
    return false;
  }
}

test('HTTP always, HTTPS where it is wanted, and that one is named first', async (t) => {
  const plain = await open(t, {});
  assert.deepEqual([...plain.keys()], ['http']);
  const sockets = await open(t, both);
  assert.deepEqual(urlsOf(sockets), [
    `https://127.0.0.1:${portOf(sockets, 'https')}/`,
    `http://127.0.0.1:${portOf(sockets, 'http')}/`,
  ]);
});

test('what cannot be bound leaves nothing open, and what was given as it is', async (t) => {
  const port = await findFreePort();
  const wanted = releaseWith({ port, https: true, httpsPort: await takePort(t) });
  await assert.rejects(bindMissing(new Map(), wanted, new RecordingLog()), { code: 'port-in-use' });
  assert.equal(await isFree(port), true);

  const given = await open(t, {});
  await assert.rejects(bindMissing(given, wanted, new RecordingLog()), { code: 'port-in-use' });
  assert.notEqual(given.get('http')?.handle.fd, -1);
});

test('a reload that changes nothing moves nothing', async (t) => {
  const before = await open(t, both);
  const { after, opened, leaving, isStaying } = await move(t, before, both);
  assert.equal(after, before);
  assert.deepEqual([opened, leaving, isStaying], [[], [], false]);
});

test('HTTPS is switched on: one more, beside the same one for HTTP', async (t) => {
  const before = await open(t, {});
  const { after, opened, leaving } = await move(t, before, both);
  assert.equal(after.get('http'), before.get('http'));
  assert.deepEqual([opened, leaving], [[after.get('https')], []]);
});

test('HTTPS is switched off: its socket leaves', async (t) => {
  const before = await open(t, both);
  const { after, opened, leaving } = await move(t, before, {});
  assert.deepEqual([...after.keys()], ['http']);
  assert.deepEqual([opened, leaving], [[], [before.get('https')]]);
});

test('one of them moves, the other stays what it is', async (t) => {
  const before = await open(t, both);
  const httpsPort = await findFreePort();
  const { after, opened, leaving } = await move(t, before, { https: true, httpsPort });
  assert.equal(after.get('http'), before.get('http'));
  assert.equal(portOf(after, 'https'), httpsPort);
  assert.deepEqual([opened, leaving], [[after.get('https')], [before.get('https')]]);
});

test('both ports swapped: a reload leaves them, a restart binds them when the old ones are closed', async (t) => {
  const before = await open(t, both);
  const swapped = { port: portOf(before, 'https'), https: true, httpsPort: portOf(before, 'http') };
  const moved = await move(t, before, swapped);
  assert.deepEqual([moved.after, moved.isStaying], [before, true]);
  assert.equal(moved.log.all('address-stays').length, 2);

  const { prepared } = await prepare(t, before, swapped);
  assert.equal(prepared.size, 0);
  closeAll(before.values());
  const bound = await bindMissing(prepared, releaseWith(swapped), new RecordingLog());
  t.after(() => closeAll(bound.values()));
  assert.deepEqual([portOf(bound, 'http'), portOf(bound, 'https')], [swapped.port, swapped.httpsPort]);
});

test('a port that is taken refuses the reload, with nothing left open', async (t) => {
  const before = await open(t, {});
  const port = await findFreePort();
  const wanted = releaseWith({ port, https: true, httpsPort: await takePort(t) });
  await assert.rejects(moveSockets(before, wanted, new RecordingLog()), { code: 'port-in-use' });
  assert.equal(await isFree(port), true);
  assert.notEqual(before.get('http')?.handle.fd, -1);
});

test('a restart keeps both: the sockets outlive the runner that closes them', async (t) => {
  const before = await open(t, both);
  const { prepared } = await prepare(t, before, both);
  closeAll(before.values());
  for (const scheme of ['http', 'https'] as const) {
    assert.equal(portOf(prepared, scheme), portOf(before, scheme));
    assert.equal(await isFree(portOf(before, scheme)), false);
  }
});

test('a restart with HTTPS switched on has a socket for it already', async (t) => {
  const before = await open(t, {});
  const { prepared } = await prepare(t, before, both);
  assert.deepEqual([...prepared.keys()], ['http', 'https']);
});

test('a restart that cannot have its ports leaves nothing open', async (t) => {
  const before = await open(t, {});
  const port = await findFreePort();
  const wanted = releaseWith({ port, https: true, httpsPort: await takePort(t) });
  await assert.rejects(prepareSockets(before, wanted, new RecordingLog()), { code: 'port-in-use' });
  assert.equal(await isFree(port), true);
});
