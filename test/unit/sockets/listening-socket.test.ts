import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { constants } from 'node:os';
import { type TestContext, test } from 'node:test';
import { EasyserveError, ExitCode } from '../../../src/contracts/errors.js';
import { ListeningSocket } from '../../../src/sockets/listening-socket.js';
import { findPortOwner } from '../../../src/sockets/port-owner.js';
import { takePort } from '../../support/instance-world.js';
import { rawConnection } from '../../support/raw-connection.js';

async function failureOf(binding: Promise<ListeningSocket>): Promise<EasyserveError> {
  const error = await binding.then(
    (socket) => socket.close(),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof EasyserveError, String(error));
  assert.equal(error.exitCode, ExitCode.address);
  return error;
}

/** A program on its own that listens; ended with the test. */
async function startListener(t: TestContext): Promise<{ port: number; child: ChildProcess }> {
  const program = "const s = require('net').createServer().listen(0, () => console.log(s.address().port))";
  const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => child.kill('SIGKILL'));
  const [line] = await once(child.stdout, 'data');
  return { port: Number(line), child };
}

test('port 0 takes a free one', async (t) => {
  const socket = await ListeningSocket.bind('127.0.0.1', 0);
  t.after(() => socket.close());
  assert.ok(socket.port > 0);
  assert.equal(socket.url, `http://127.0.0.1:${socket.port}/`);
});

test('what is bound is not accepted on until somebody listens', async (t) => {
  const socket = await ListeningSocket.bind('127.0.0.1', 0);
  t.after(() => socket.close());
  await assert.rejects(rawConnection(t, socket.url), { code: 'ECONNREFUSED' });
});

test('a port that is taken: the message names the process and how to go on', async (t) => {
  const { port, child } = await startListener(t);
  const error = await failureOf(ListeningSocket.bind('0.0.0.0', port));
  assert.equal(error.code, 'port-in-use');
  assert.match(error.message, new RegExp(`^Port ${port} is taken by process ${child.pid} \\(.+\\)\\.$`));
  assert.match(error.hint ?? '', new RegExp(`^kill ${child.pid}, or easyserve start --port `));
});

test('a port that this process holds itself', async (t) => {
  const error = await failureOf(ListeningSocket.bind('127.0.0.1', await takePort(t)));
  assert.match(error.message, new RegExp(`process ${process.pid} `));
});

test('an address that is not of this machine', async () => {
  const error = await failureOf(ListeningSocket.bind('192.0.2.1', 0));
  assert.equal(error.code, 'address-unusable');
  assert.match(error.message, /192\.0\.2\.1:0 cannot be used \(EADDRNOTAVAIL\)/);
});

test('IPv6', async (t) => {
  const socket = await ListeningSocket.bind('::1', 0);
  const server = createServer((client) => client.end('hello')).listen(socket.handle);
  await once(server, 'listening');
  t.after(() => server.close());
  assert.equal(socket.url, `http://[::1]:${socket.port}/`);
  const connection = await rawConnection(t, socket.url);
  assert.equal(await connection.readToEnd(), 'hello');
});

test('a port that is taken on IPv6', async (t) => {
  const port = await takePort(t, '::1');
  assert.equal((await failureOf(ListeningSocket.bind('::1', port))).code, 'port-in-use');
});

const urls: [host: string, port: number, url: string][] = [
  ['0.0.0.0', 0, 'http://localhost:PORT/'],
  ['::', 0, 'http://localhost:PORT/'],
];
for (const [host, port, url] of urls) {
  test(`the URL of ${host}`, async (t) => {
    const socket = await ListeningSocket.bind(host, port);
    t.after(() => socket.close());
    assert.equal(socket.url, url.replace('PORT', String(socket.port)));
  });
}

test('a host name', async (t) => {
  const socket = await ListeningSocket.bind('localhost', 0);
  t.after(() => socket.close());
  assert.equal(socket.url, `http://localhost:${socket.port}/`);
});

test('a host name that nobody knows', async () => {
  const error = await failureOf(ListeningSocket.bind('no-such-host.invalid', 0));
  assert.equal(error.code, 'address-unusable');
  assert.match(error.message, /no-such-host\.invalid/);
});

// Whoever runs the tests may be allowed every port, so the system's refusal is given in its place.
for (const refusal of ['EACCES', 'EPERM'] as const) {
  test(`a port that this user may not have (${refusal})`, async () => {
    const error = await failureOf(
      ListeningSocket.bind('127.0.0.1', 80, { create: () => -constants.errno[refusal] }),
    );
    assert.equal(error.code, 'port-forbidden');
    assert.match(error.message, /port 80/);
    assert.match(
      error.detail ?? '',
      /sudo easyserve install\n.*sudo sysctl -w \S+=80\n.*sudo easyserve start$/,
    );
    assert.match(error.hint ?? '', /easyserve start --port 8000$/);
  });
}

test('a duplicate keeps the port, and those who wait for it, when the first is closed', async (t) => {
  const first = await ListeningSocket.bind('127.0.0.1', 0);
  const before = createServer().listen(first.handle);
  await once(before, 'listening');
  const second = await first.duplicate();
  assert.deepEqual([second.host, second.port, second.url], [first.host, first.port, first.url]);
  before.close();
  await once(before, 'close');
  first.close();
  const waiting = await rawConnection(t, first.url);
  const after = createServer((client) => client.end('hello')).listen(second.handle);
  t.after(() => after.close());
  assert.equal(await waiting.readToEnd(), 'hello');
});

test('who listens on a port', async (t) => {
  const { port, child } = await startListener(t);
  const owner = await findPortOwner(port);
  assert.equal(owner?.pid, child.pid);
  assert.ok((owner?.command ?? '').length > 0);
  child.kill('SIGKILL');
  await once(child, 'close');
  assert.equal(await findPortOwner(port), undefined);
});
