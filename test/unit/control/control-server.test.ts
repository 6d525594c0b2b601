import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { statSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { EasyserveError, ExitCode, StartError } from '../../../src/contracts/errors.js';
import { callInstance, InstanceError } from '../../../src/control/control-client.js';
import type { ControlHandler } from '../../../src/control/control-connection.js';
import { ControlServer } from '../../../src/control/control-server.js';
import { stateFolderOf } from '../../../src/control/state-folder.js';
import { makeTempDir } from '../../support/copy-fixture.js';
import { FakeClock } from '../../support/fake-clock.js';
import { withDeadline } from '../../support/with-deadline.js';

interface Running {
  readonly project: string;
  readonly path: string;
  readonly server: ControlServer;
  readonly clock: FakeClock;
}

async function run(t: TestContext, handler: ControlHandler): Promise<Running> {
  const project = makeTempDir(t);
  const path = (await stateFolderOf(project)).controlSocket;
  const clock = new FakeClock();
  const server = await ControlServer.listen(path, handler, clock);
  t.after(() => server.close());
  return { project, path, server, clock };
}

const never: ControlHandler = () => new Promise(() => undefined);

/** All that the server sends until it hangs up. */
async function readToEnd(socket: Socket): Promise<string> {
  let text = '';
  socket.setEncoding('utf8').on('data', (chunk) => {
    text += chunk;
  });
  await withDeadline(once(socket, 'end'), 5000, () => `the server did not hang up; it sent ${text}`);
  return text;
}

test('progress, lines and the result arrive, in order', async (t) => {
  const { project } = await run(t, async (request, { progress, line }) => {
    progress('starting the new application');
    line('GET / 200');
    progress('é €');
    return { verb: request.verb };
  });
  const seen: string[] = [];
  const result = await callInstance(
    project,
    { verb: 'reload' },
    { onProgress: (text) => seen.push(`progress ${text}`), onLine: (text) => seen.push(`line ${text}`) },
  );
  assert.deepEqual(result, { verb: 'reload' });
  assert.deepEqual(seen, ['progress starting the new application', 'line GET / 200', 'progress é €']);
});

test('an error arrives as it was thrown', async (t) => {
  const { project } = await run(t, () => {
    throw new StartError('app-exited', 'The application exited.', {
      hint: 'mend it',
      detail: 'Traceback:\n  x',
    });
  });
  await assert.rejects(callInstance(project, { verb: 'reload' }), (error) => {
    assert.ok(error instanceof EasyserveError && !(error instanceof InstanceError));
    assert.deepEqual(error.toRecord(), {
      code: 'app-exited',
      message: 'The application exited.',
      hint: 'mend it',
      detail: 'Traceback:\n  x',
      exitCode: ExitCode.startFailed,
    });
    return true;
  });
});

test('a handler that answers nothing answers null', async (t) => {
  const { project } = await run(t, async () => undefined);
  assert.equal(await callInstance(project, { verb: 'ping' }), null);
});

test('the socket is closed to others from the moment it exists', async (t) => {
  const path = (await stateFolderOf(makeTempDir(t))).controlSocket;
  const before = process.umask();
  const listening = ControlServer.listen(path, never);
  // bind(2) has happened, nothing else yet.
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.equal(process.umask(), before);
  await (await listening).close();
});

test('a request that is too long is refused', async (t) => {
  const { path } = await run(t, never);
  const socket = connect(path);
  socket.write(Buffer.alloc(64 * 1024 + 1, 'x'));
  const reply = JSON.parse(await readToEnd(socket));
  assert.match(reply.error.message, /longer than 65536 characters/);
});

for (const line of ['hello', '[]', 'null', '{"verb":1}', '']) {
  test(`the request ${JSON.stringify(line)} is refused`, async (t) => {
    const { path } = await run(t, never);
    const socket = connect(path);
    socket.write(`${line}\n`);
    assert.equal(JSON.parse(await readToEnd(socket)).error.code, 'bad-control-request');
  });
}

test('a client that says nothing is hung up on', async (t) => {
  const { path, clock } = await run(t, never);
  const socket = connect(path);
  await once(socket, 'connect');
  socket.write('{"verb"');
  const ended = readToEnd(socket);
  // The server has taken the connection when it has set its deadline.
  await withDeadline(untilPending(clock), 5000, () => 'the server set no deadline');
  clock.advance(10_000);
  assert.match(JSON.parse(await ended).error.message, /no request came within 10 seconds/);
});

async function untilPending(clock: FakeClock): Promise<void> {
  while (clock.pending === 0) await new Promise((resolve) => setImmediate(resolve));
}

test('a client that closes its sending side gets its answer', async (t) => {
  const { path } = await run(t, async () => 'answer');
  const socket = connect({ path, allowHalfOpen: true });
  socket.end('{"verb":"ping"}\n');
  assert.equal(await readToEnd(socket), '{"result":"answer"}\n');
});

test('a client that goes away is told to the handler', async (t) => {
  const handler = new EventEmitter();
  const asked = once(handler, 'asked');
  const aborted = once(handler, 'aborted');
  const { project } = await run(t, (_request, { signal }) => {
    signal.addEventListener('abort', () => handler.emit('aborted'));
    handler.emit('asked');
    return new Promise(() => undefined);
  });
  const client = new AbortController();
  const call = callInstance(project, { verb: 'logs', follow: true, lines: 1 }, { signal: client.signal });
  await withDeadline(asked, 5000, () => 'the handler was not called');
  client.abort(new Error('enough'));
  await assert.rejects(call, { message: 'enough' });
  await withDeadline(aborted, 5000, () => 'the handler did not learn of it');
});

test('closing the server ends a call that is not answered', async (t) => {
  const handler = new EventEmitter();
  const asked = once(handler, 'asked');
  const { project, server } = await run(t, () => {
    handler.emit('asked');
    return new Promise(() => undefined);
  });
  const call = callInstance(project, { verb: 'stop' });
  const refused = assert.rejects(call, { code: 'instance-gone' });
  await withDeadline(asked, 5000, () => 'the handler was not called');
  await withDeadline(server.close(), 5000, () => 'the server did not close');
  await refused;
});

test('an instance that does not answer in time is called silent', async (t) => {
  const { project } = await run(t, never);
  const clock = new FakeClock();
  const call = callInstance(project, { verb: 'status' }, { clock, timeoutMs: 3000 });
  const refused = assert.rejects(call, { code: 'instance-silent', message: /within 3 seconds/ });
  await withDeadline(untilPending(clock), 5000, () => 'the client set no deadline');
  clock.advance(3000);
  await refused;
});

test('without an instance the call says how to start one', async (t) => {
  const project = makeTempDir(t);
  await assert.rejects(callInstance(project, { verb: 'status' }), {
    code: 'not-running',
    exitCode: ExitCode.notRunning,
    message: `No instance is running for ${project}.`,
    hint: '`easyserve start`',
  });
});

test('a socket that a dead instance left is called stale', async (t) => {
  const project = makeTempDir(t);
  const { path } = await stateFolderOf(project);
  // What is no socket refuses a connection just as one that nobody listens on.
  writeFileSync(join(path, 'control.sock'), '');
  await assert.rejects(callInstance(project, { verb: 'status' }), (error) => {
    assert.ok(error instanceof EasyserveError);
    assert.equal(error.code, 'not-running');
    assert.equal(error.detail, `${join(path, 'control.sock')} is stale: the instance that made it has died.`);
    return true;
  });
});

test('lines that a slow client does not read are left out, and counted', async (t) => {
  const text = 'x'.repeat(100_000);
  const { path } = await run(t, async (_request, { line }) => {
    for (let number = 0; number < 500; number += 1) line(text);
    return 'end';
  });
  const socket = connect(path);
  socket.write('{"verb":"logs"}\n');
  const lines = (await readToEnd(socket))
    .trim()
    .split('\n')
    .map((json) => JSON.parse(json));
  assert.deepEqual(lines.at(-1), { result: 'end' });
  const whole = lines.filter((reply) => reply.line === text).length;
  const left = Number(/^\[(\d+) lines left out/.exec(lines.at(-2).line)?.[1]);
  assert.ok(whole >= 80 && left > 0, `${whole} whole, ${left} left out`);
  assert.equal(whole + left, 500);
});
