import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { ArrivingText } from '../support/arriving-text.js';
import type { Easyserve } from '../support/easyserve.js';
import { eventually } from '../support/eventually.js';
import { forEachServer, type ServerCase, serverCases, startServer } from '../support/for-each-server.js';
import { openAnswer } from '../support/http-client.js';
import { isAlive, killProcess } from '../support/processes.js';
import { openSiteWebSocket, type SiteWebSocket } from '../support/site-web-socket.js';

interface SocketCase extends ServerCase {
  readonly path: string;
  /** The application's own close frame, for `close`. */
  readonly closing: readonly [code: number, reason: string];
  /** How it is closed when its process has to go: 1006 is an end without a close frame. */
  readonly leaving: number;
  /** What the application prints of a client that closes with 4001, and of one that vanishes. */
  readonly prints: readonly [closed: string, vanished: string];
}

const serviceRestart = 1012;

const socketCases: readonly SocketCase[] = [
  {
    ...helloCase('uvicorn'),
    ...{ leaving: serviceRestart, prints: ['4001 had enough', '1005'] },
  },
  {
    ...helloCase('hypercorn'),
    // It tells the application of no other code for a close frame.
    ...{ leaving: serviceRestart, prints: ['1000', '1006'] },
  },
  {
    ...helloCase('express'),
    ...{ leaving: 1006, prints: ['4001 had enough', '1006'] },
  },
  {
    ...{ name: 'channels', fixture: 'django-channels', settings: {}, server: 'uvicorn' },
    ...{ path: '/chat/garden', closing: [4321, ''], leaving: serviceRestart, prints: ['4001', '1005'] },
  },
];

/** Far beyond the deadlines of all waits here: whoever waited for it would fail. */
const NEVER_MS = 300_000;

// Real WebSockets through the whole of it. What the front does to them in particular stands in the unit tests.
forEachServer(socketCases, (serverCase, mode, testIn) => {
  const { path, closing, leaving, prints } = serverCase as SocketCase;

  testIn('WebSockets: messages, pings, and every kind of end', async (t) => {
    const site = await startServer(t, serverCase, mode, { drainTimeoutMs: NEVER_MS });
    const open = (): Promise<SiteWebSocket> => openSiteWebSocket(t, site.url, path);
    const socket = await open();

    await t.test('text, empty and long, and binary', async () => {
      for (const message of ['grüß dich ☀', '', 'long '.repeat(100_000), randomBytes(500_000)])
        assert.deepEqual(await socket.ask(message), message);
    });

    await t.test('messages are compressed where both sides know how', async () => {
      assert.match(socket.extensions, /^permessage-deflate/);
    });

    await t.test('a ping is answered with its own data', async () => {
      assert.equal(await socket.ping('still there?'), 'still there?');
    });

    await t.test('the application closes: its code and reason', async () => {
      socket.send('close');
      assert.deepEqual(await socket.closed(), closing);
      await untilStreams(site, 0);
    });

    await t.test('the client closes: its code and reason', async () => {
      const closed = await open();
      closed.close(4001, 'had enough');
      assert.equal((await closed.closed())[0], 4001);
      await untilPrinted(site, `websocket ended with ${prints[0]}`);
      await untilStreams(site, 0);
    });

    await t.test('the client vanishes: the application hears of it, and its place is free', async () => {
      const vanished = await open();
      assert.equal(await vanished.ask('hello'), 'hello');
      await untilStreams(site, 1);
      vanished.vanish();
      await untilPrinted(site, `websocket ended with ${prints[1]}`);
      await untilStreams(site, 0);
    });

    await t.test('the application dies: the client hears of it, and the next one is served', async () => {
      const orphaned = await open();
      assert.equal(await orphaned.ask('hello'), 'hello');
      await crash(site);
      assert.deepEqual(await orphaned.closed(), [1006, '']);
      assert.equal(await (await open()).ask('version'), 'v1');
    });
  });

  testIn('WebSockets: reloads one after the other, and a stop', async (t) => {
    const site = await startServer(t, serverCase, mode, {
      ...{ watch: false, drainTimeoutMs: NEVER_MS, streamDrainTimeoutMs: NEVER_MS, killTimeoutMs: NEVER_MS },
    });
    const open = (): Promise<SiteWebSocket> => openSiteWebSocket(t, site.url, path);
    const first = await open();
    assert.equal(await first.ask('version'), 'v1');

    // The second release gives its WebSockets a moment.
    await bringIn(site, 'v2', { streamDrainTimeoutMs: 300 });
    assert.equal(await first.ask('version'), 'v1', 'the reload is over, and it is still open');
    const second = await open();
    assert.equal(await second.ask('version'), 'v2');
    const draining = (await site.apps()).filter(({ state }) => state === 'draining');
    assert.deepEqual(
      draining.map(({ generation, streams }) => [generation, streams]),
      [[1, 1]],
    );
    const secondPids = (await site.apps()).filter(({ generation }) => generation === 2).map(({ pid }) => pid);

    await bringIn(site, 'v3', { streamDrainTimeoutMs: NEVER_MS });
    const third = await open();
    assert.equal(await third.ask('version'), 'v3');
    assert.equal((await second.closed())[0], leaving);
    await eventually(async () => assert.deepEqual(await generations(site), [1, 3]));
    const sitePids = await site.sitePids(); // where the application is a thread
    assert.deepEqual(
      secondPids.filter((pid) => isAlive(pid) && !sitePids.includes(pid)),
      [],
    );
    assert.equal(await first.ask('version'), 'v1');

    const stopped = site.stop();
    for (const socket of [first, third]) assert.equal((await socket.closed())[0], leaving);
    assert.equal((await stopped).code, 0);
  });
});

forEachServer(['uvicorn', 'hypercorn', 'express'].map(helloCase), (serverCase, mode, testIn) => {
  testIn('event streams stay with their release, for their time', async (t) => {
    const site = await startServer(t, serverCase, mode, { watch: false, drainTimeoutMs: NEVER_MS });
    const open = async (tag: string): Promise<ArrivingText> => {
      const stream = new ArrivingText(
        await openAnswer(site.url, `/stream?type=text/event-stream&tag=${tag}`),
      );
      await stream.until('line 1\n');
      return stream;
    };
    const whole = await open('whole');
    await bringIn(site, 'v2', { streamDrainTimeoutMs: 300, killTimeoutMs: 1000 });
    const cut = await open('cut');
    await bringIn(site, 'v3');
    await cut.toEnd();
    assert.ok(cut.error !== undefined, 'the end of a cut stream must not look like its end');
    await eventually(async () => assert.deepEqual(await generations(site), [1, 3]));
    writeFileSync(join(site.dir, 'released-whole'), '');
    assert.equal(await whole.toEnd(), 'line 1\nline 2\n');
    assert.equal(whole.error, undefined);
    await eventually(async () => assert.deepEqual(await generations(site), [3]));
  });
});

forEachServer([helloCase('express')], (serverCase, mode, testIn) => {
  testIn('an application that handles SIGTERM says goodbye to its WebSockets', async (t) => {
    const site = await startServer(t, serverCase, mode, { watch: false, killTimeoutMs: NEVER_MS });
    const goodbye = `process.on('SIGTERM', () => {
      for (const socket of sockets.clients) socket.close(1001, 'see you');
      server.close();
    });`;
    appendFileSync(join(site.dir, 'express.cjs'), goodbye);
    await bringIn(site, 'v2', { streamDrainTimeoutMs: 300 });
    const first = await openSiteWebSocket(t, site.url, '/talk');
    await bringIn(site, 'v3');
    assert.deepEqual(await first.closed(), [1001, 'see you']);
    const second = await openSiteWebSocket(t, site.url, '/talk');
    const stopped = site.stop();
    assert.deepEqual(await second.closed(), [1001, 'see you']);
    assert.equal((await stopped).code, 0);
  });
});

const CLIENTS = 200;

forEachServer(['uvicorn', 'express'].map(helloCase), (serverCase, mode, testIn) => {
  testIn(`${CLIENTS} WebSockets are told to leave, and all come back at once`, async (t) => {
    const site = await startServer(t, serverCase, mode, { watch: false, streamDrainTimeoutMs: 300 });
    const clients = Array.from({ length: CLIENTS }, () => comeBack(t, site));
    await untilStreams(site, CLIENTS);
    await bringIn(site, 'v2');
    // None is left without its end, and none is refused.
    assert.deepEqual([...new Set(await Promise.all(clients))], ['v2']);
    await untilStreams(site, CLIENTS);
  });
});

// Private

/** Of those with the views of wsgi-hello. */
function helloCase(name: string): ServerCase & Pick<SocketCase, 'path' | 'closing'> {
  const serverCase = serverCases.find((each) => each.name === name);
  assert.ok(serverCase);
  return { ...serverCase, path: '/talk', closing: [4000, 'asked for'] };
}

/** A client that connects again as soon as it was told to leave; what release it finds then. */
async function comeBack(t: TestContext, site: Easyserve): Promise<unknown> {
  const before = await openSiteWebSocket(t, site.url, '/talk');
  await before.closed();
  const after = await openSiteWebSocket(t, site.url, '/talk');
  return after.ask('version');
}

/** Resolves when `easyserve reload` is over. */
async function bringIn(
  site: Easyserve,
  version: string,
  settings: Readonly<Record<string, unknown>> = {},
): Promise<void> {
  site.writeSettings(settings);
  site.writeFile('VERSION', `${version}\n`);
  const { code, stderr } = await site.cli('reload');
  assert.equal(code, 0, stderr);
}

/** Resolves when it is known: a handshake that comes before is alone in a process that ends, and gets a 502 (docs/reliability.md). */
async function crash(site: Easyserve): Promise<void> {
  const pids = await site.appPids();
  for (const pid of pids) killProcess(pid, 'SIGKILL');
  // In any order.
  for (const _ of pids) await site.waitFor('app-crashed', ({ app }) => pids.includes(Number(app)));
}

async function untilStreams(site: Easyserve, count: number): Promise<void> {
  await eventually(async () => {
    const apps = await site.apps();
    assert.equal(
      apps.reduce((sum, { streams }) => sum + streams, 0),
      count,
    );
  });
}

/** The next line of the application that begins so. */
async function untilPrinted(site: Easyserve, text: string): Promise<void> {
  await site.waitFor('application', ({ msg }) => String(msg).startsWith(text), 10_000);
}

async function generations(site: Easyserve): Promise<number[]> {
  const all = (await site.apps()).map(({ generation }) => generation);
  return [...new Set(all)].sort();
}
