import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { TestContext } from 'node:test';
import { connect } from 'node:tls';
import { askHttp2 } from '../support/ask-http2.js';
import { makeTempDir } from '../support/copy-fixture.js';
import type { Easyserve } from '../support/easyserve.js';
import type { Mode } from '../support/for-each-mode.js';
import { forEachServer, type ServerCase, serverCases, startServer } from '../support/for-each-server.js';
import { ask, openAnswer } from '../support/http-client.js';
import { frameType, RawHttp2 } from '../support/raw-http2.js';
import { openHttp2, securePortOf, urlOf } from '../support/secure-client.js';
import { withDeadline } from '../support/with-deadline.js';

/** As many as the application has places. */
const places = 10;
const pageBytes = 8_000_000;
const page = `/echo?pad=${pageBytes}`;
const names = ['gateway', 'cheroot', 'uvicorn', 'express'];
const cases = serverCases.filter(({ name }) => names.includes(name));

/** Less than the time after which a request in the queue is refused, and after which a client that takes nothing is cut. */
const patienceMs = 20_000;

forEachServer(cases, (serverCase, mode, testIn) => {
  testIn('clients that read nothing of their pages hold no place of the application', async (t) => {
    const site = await start(t, serverCase, mode);
    const url = await urlOf(site, 'http');
    const silent = await within(
      Promise.all(Array.from({ length: 2 * places }, () => openAnswer(url, page, { timeoutMs: 100_000 }))),
    );
    await askOften(url);

    // And what waited is whole.
    let length = 0;
    for await (const piece of silent[0] ?? []) length += piece.length;
    assert.ok(length > pageBytes, `${length} bytes`);
    for (const each of silent) each.destroy();
  });

  testIn('nor does one connection of HTTP/2 that opens its windows by single bytes', async (t) => {
    const site = await start(t, serverCase, mode);
    const port = await securePortOf(site);
    const raw = await openRaw(t, port);
    const streams = Array.from({ length: places + 2 }, (_, n) => 2 * n + 1);
    for (const stream of streams) raw.get(stream, page);
    await Promise.all(
      streams.map((stream) =>
        raw.until((frame) => frame.type === frameType.headers && frame.stream === stream),
      ),
    );
    for (const stream of [0, ...streams])
      raw.send(frameType.windowUpdate, 0, stream, Buffer.from([0, 0, 0, 1]));
    await askOften(await urlOf(site, 'http'));
    const visitor = await openHttp2(t, port, { host: 'localhost' });
    assert.equal((await within(askHttp2(visitor, '/version'))).status, 200);
    // Otherwise a stop waits for it.
    raw.socket.destroy();
  });
});

function start(t: TestContext, serverCase: ServerCase, mode: Mode): Promise<Easyserve> {
  const ofEach = mode === 'single' ? places : places / 2;
  const https = { https: true, httpsPort: 0, acmeFolder: makeTempDir(t), redirectToHttps: false };
  return startServer(t, serverCase, mode, { threads: ofEach, concurrency: ofEach, ...https });
}

async function askOften(url: string): Promise<void> {
  for (let n = 0; n < 2 * places; n += 1) assert.equal((await within(ask(url, '/version'))).status, 200);
}

function within<T>(promise: Promise<T>): Promise<T> {
  return withDeadline(promise, patienceMs, () => 'no answer');
}

async function openRaw(t: TestContext, port: number): Promise<RawHttp2> {
  const socket = connect({ host: '127.0.0.1', port, ALPNProtocols: ['h2'], rejectUnauthorized: false });
  t.after(() => socket.destroy());
  await once(socket, 'secureConnect');
  return RawHttp2.begin(socket);
}
