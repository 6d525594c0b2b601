import assert from 'node:assert/strict';
import { appendFileSync, mkdirSync, truncateSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { WebSocket } from 'ws';
import type { Easyserve } from '../support/easyserve.js';
import { eventually } from '../support/eventually.js';
import { forEachMode } from '../support/for-each-mode.js';
import { serverCases, startOptions } from '../support/for-each-server.js';
import { ask } from '../support/http-client.js';
import { startEasyserve } from '../support/start-easyserve.js';

/** More than the kernel and the front hold together. */
const sizeBytes = 200_000_000;
/** Far more than the clients here take, which never stop for long. */
const settings = { sendTimeoutMs: 2000, minSendBytesPerSecond: 50_000_000, logLevel: 'debug' };

const withFile = `
inner = application

def application(environ, start_response):
    if environ['PATH_INFO'] != '/wrapped':
        return inner(environ, start_response)
    start_response('200 OK', [('Content-Length', '${sizeBytes}')])
    return environ['wsgi.file_wrapper'](open(FOLDER / 'assets' / 'large.bin', 'rb'))
`;

forEachMode(['single', 'cluster'], (mode, testIn) => {
  testIn('who takes a file or a page too slowly is cut, although he never stops', async (t) => {
    const easyserve = await startEasyserve(t, {
      fixture: 'wsgi-hello',
      mode,
      settings: { ...settings, static: { '/assets/': 'assets' } },
      prepare: (dir) => {
        mkdirSync(join(dir, 'assets'));
        writeFileSync(join(dir, 'assets', 'large.bin'), '');
        truncateSync(join(dir, 'assets', 'large.bin'), sizeBytes);
        appendFileSync(join(dir, 'app.py'), withFile);
      },
    });
    const paths = ['/assets/large.bin', '/wrapped', `/echo?pad=${sizeBytes / 4}`];
    const clients = paths.map((path) => {
      const { port } = new URL(easyserve.url);
      const socket = connect(Number(port), '127.0.0.1').pause();
      socket.write(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`);
      return socket;
    });
    t.after(() => {
      for (const client of clients) client.destroy();
    });
    await untilCut(easyserve, clients);
    for (const { bytesRead } of clients)
      assert.ok(bytesRead > 0 && bytesRead < sizeBytes / 4, String(bytesRead));
    assert.equal((await ask(easyserve.url, '/version')).status, 200);
  });

  if (mode === 'single') return;
  testIn('a WebSocket whose client takes too little of what comes is cut', async (t) => {
    const express = serverCases.find(({ name }) => name === 'express') ?? assert.fail();
    const easyserve = await startEasyserve(t, startOptions(express, mode, settings));
    const client = new WebSocket(easyserve.url.replace('http', 'ws'), { perMessageDeflate: false });
    t.after(() => client.terminate());
    client.on('error', () => {});
    await new Promise((resolve) => client.once('open', resolve));
    client.pause(); // what the application echoes stays where it is
    for (let sent = 0; sent < sizeBytes / 4; sent += 1_000_000) client.send(Buffer.alloc(1_000_000));
    await untilCut(easyserve, []);
    assert.equal((await ask(easyserve.url, '/version')).status, 200);
  });
});

/** The clients go on reading, a little at a time. */
async function untilCut(easyserve: Easyserve, clients: readonly Socket[]): Promise<void> {
  const one = Math.max(clients.length, 1);
  await eventually(
    () => {
      for (const client of clients) client.read(32_768);
      const cut = easyserve.records.filter(({ event }) => event === 'client-stalled');
      assert.ok(cut.length >= one, `${cut.length} of ${one} were cut`);
    },
    { timeoutMs: 60_000 },
  );
}
