import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { AppProcess, type AppProcessOptions } from '../../../../src/app/process/app-process.js';
import type { LaunchPlan } from '../../../../src/app/servers/application-server.js';
import { StartError } from '../../../../src/contracts/errors.js';
import { type FakeChild, FakeChildren } from '../../../support/fake-child.js';
import { FakeClock } from '../../../support/fake-clock.js';
import { makeFileTree } from '../../../support/file-tree.js';
import { RecordingLog } from '../../../support/recording-log.js';

interface Started {
  readonly app: AppProcess;
  readonly child: FakeChild;
  readonly clock: FakeClock;
  readonly log: RecordingLog;
  readonly socketPath: string;
  readonly terminations: number[];
}

const plan: LaunchPlan = {
  command: 'python',
  args: ['gateway.py'],
  cwd: '/project',
  env: { A: 'b' },
  readiness: 'control',
  addresses: [{ protocol: 'gateway', place: { path: '/run/app.sock' } }],
};

async function start(t: TestContext, changed: Partial<AppProcessOptions> = {}): Promise<Started> {
  const clock = new FakeClock();
  const log = new RecordingLog();
  const children = new FakeChildren();
  children.onSpawn = () => {};
  const socketPath = join(await makeFileTree(t, {}), 'app.sock');
  const terminations: number[] = [];
  const app = new AppProcess({
    plan,
    socketPath,
    readyTimeoutMs: 60_000,
    spawn: children.spawn,
    kill: children.kill,
    connect: (place) => connect(place),
    log,
    clock,
    onTerminated: () => terminations.push(clock.now()),
    ...changed,
  });
  return { app, child: children.all[0] as FakeChild, clock, log, socketPath, terminations };
}

async function failureOf(app: AppProcess): Promise<StartError> {
  const error = await app.ready().then(
    () => undefined,
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof StartError);
  return error;
}

test('it is spawned in a group of its own, with a control descriptor', async (t) => {
  const { child, app } = await start(t);
  assert.deepEqual(
    [child.command, child.args, child.options.cwd, child.options.env, child.options.detached],
    ['python', ['gateway.py'], '/project', { A: 'b' }, true],
  );
  assert.deepEqual(child.options.stdio, ['ignore', 'pipe', 'pipe', 'pipe']);
  assert.equal(app.pid, 1001);
  assert.equal(app.state, 'starting');
});

test('ready, as soon as the process says so', async (t) => {
  const { app, child, clock } = await start(t);
  child.tell({ event: 'ready' });
  await app.ready();
  assert.equal(app.state, 'ready');
  assert.equal(clock.pending, 0);
});

test('an application that cannot be loaded: its last line in the message, its traceback in the detail', async (t) => {
  const { app, child } = await start(t);
  const trace =
    'Traceback (most recent call last):\n  File "x.py"\nModuleNotFoundError: No module named shop\n';
  child.tell({ event: 'failed', error: trace });
  child.exit(3);
  const error = await failureOf(app);
  assert.equal(error.code, 'app-exited');
  assert.equal(
    error.message,
    'The application could not be loaded: ModuleNotFoundError: No module named shop',
  );
  assert.equal(error.detail, trace);
});

test('an application that exits at import: the code, and its last lines', async (t) => {
  const { app, child, log } = await start(t);
  for (let line = 1; line <= 50; line += 1) child.stdout.write(`line ${line}\n`);
  child.stderr.write('no end of line');
  child.exit(7);
  const error = await failureOf(app);
  assert.equal(error.message, 'The application exited with code 7 before it was ready.');
  const lines = error.detail?.split('\n') ?? [];
  assert.equal(lines.length, 40);
  assert.ok(lines.includes('line 50') && lines.includes('no end of line') && !lines.includes('line 11'));
  assert.ok(log.applicationLines.includes('1001 line 1'));
});

test('one that is killed while it starts', async (t) => {
  const { app, child } = await start(t);
  child.exit(null, 'SIGSEGV');
  assert.equal((await failureOf(app)).message, 'The application was ended by SIGSEGV before it was ready.');
});

test('one that hangs at import: where it is, at the deadline', async (t) => {
  const { app, child, clock } = await start(t);
  child.onStacks = () => ({ main: '  File "settings.py", line 3, in <module>' });
  const failure = failureOf(app);
  clock.advance(60_000);
  const error = await failure;
  assert.equal(error.code, 'app-not-ready');
  assert.equal(error.message, 'The application was not ready after 60 s.');
  assert.match(error.detail ?? '', /settings\.py/);
  assert.equal(clock.pending, 0);
});

test('one that hangs without an answer: its last lines, two seconds later', async (t) => {
  const { app, child, clock } = await start(t);
  child.stdout.write('connecting to the database\n');
  const failure = failureOf(app);
  await clock.advanceAsync(62_000);
  assert.equal((await failure).detail, 'connecting to the database');
});

test('a command that is not there', async (t) => {
  const { app } = await start(t, {
    spawn,
    kill: () => assert.fail('nothing to signal'),
    plan: { ...plan, command: '/nowhere/python', cwd: '/' },
  });
  const error = await failureOf(app);
  assert.equal(error.code, 'app-not-spawned');
  assert.match(error.message, /^The application could not be started: spawn \/nowhere\/python ENOENT\.$/);
  assert.deepEqual(await app.exited, { code: null, signal: null, lastLines: 'spawn /nowhere/python ENOENT' });
  assert.equal(app.pid, 0);
});

test('no descriptors left: the child has no streams at all', async (t) => {
  const bare = new EventEmitter();
  const { app } = await start(t, { spawn: () => bare as ChildProcess });
  bare.emit('error', new Error('spawn EMFILE'));
  assert.equal((await failureOf(app)).message, 'The application could not be started: spawn EMFILE.');
});

for (const line of [
  `hello${'x'.repeat(20_000_000)}`,
  '{"event":',
  '[]',
  'null',
  '7',
  '{"event":"dance"}',
  '{"event":"ready","port":"80"}',
  '{"event":"ready","port":65536}',
  '{"event":"failed"}',
  '{"event":"failed","error":7}',
  '{"event":"failed","reason":"no","hint":{}}',
  '{"event":"stacks"}',
  '{"event":"stacks","stacks":{"main":1}}',
]) {
  test(`what the application writes to our descriptor is logged, and nothing more: ${line.slice(0, 40)}`, async (t) => {
    const { app, child, log } = await start(t);
    child.tell(line);
    child.tell(line);
    child.exit(1);
    assert.equal((await failureOf(app)).message, 'The application exited with code 1 before it was ready.');
    assert.deepEqual(
      log.all('control-garbage').map(({ fields }) => fields.line),
      [line.slice(0, 200)],
    );
  });
}

test('stop: told over the descriptor, its children by SIGTERM; the socket is removed', async (t) => {
  const { app, child, clock, socketPath } = await start(t);
  writeFileSync(socketPath, '');
  child.becomeReady();
  await app.ready();
  await app.stop(5000);
  assert.deepEqual(child.commands, ['stop']);
  assert.equal(child.signals.at(-1), 'SIGKILL', 'what is left of the group');
  assert.equal(app.state, 'exited');
  assert.equal(existsSync(socketPath), false);
  assert.equal(clock.pending, 0);
});

test('stop: one that does not obey is killed at the deadline, and its children with it', async (t) => {
  const { app, child, clock } = await start(t);
  child.obeys = false;
  child.becomeReady();
  await app.ready();
  const stopped = app.stop(5000);
  assert.deepEqual(child.signals, ['SIGTERM']);
  clock.advance(4999);
  assert.deepEqual(child.signals, ['SIGTERM']);
  clock.advance(1);
  await stopped;
  assert.deepEqual(await app.exited, { code: null, signal: 'SIGKILL', lastLines: '' });
});

test('stop twice waits for the same end; stop after the end is over at once', async (t) => {
  const { app, child } = await start(t);
  await Promise.all([app.stop(5000), app.stop(1)]);
  assert.deepEqual(child.commands, ['stop']);
  await app.stop(5000);
  assert.equal((await failureOf(app)).code, 'app-exited');
});

test('ready after stop is not believed', async (t) => {
  const { app, child } = await start(t);
  child.obeys = false;
  const stopped = app.stop(5000);
  child.becomeReady();
  child.exit(0);
  await stopped;
  assert.equal((await failureOf(app)).code, 'app-exited');
});

test('output that a grandchild holds open delays the end by half a second, not for ever', async (t) => {
  const { app, child, clock } = await start(t);
  child.exit(1, null, true);
  assert.equal(app.state, 'starting');
  await clock.advanceAsync(500);
  assert.equal((await app.exited).code, 1);
  assert.deepEqual(child.signals, ['SIGKILL'], 'the grandchild');
});

test('a group that may not be signalled is logged, and the end still comes', async (t) => {
  const { app, child, log } = await start(t, {
    kill: () => {
      throw Object.assign(new Error('kill EPERM'), { code: 'EPERM' });
    },
  });
  child.exit(1);
  assert.equal((await app.exited).code, 1);
  assert.equal(log.all('app-not-signalled').length, 1);
});

test('a socket that cannot be removed is logged, and the end still comes', async (t) => {
  const folder = await makeFileTree(t, { 'file/inside': '' });
  const { app, child, log } = await start(t, { socketPath: join(folder, 'file') });
  child.exit(1);
  assert.equal((await app.exited).code, 1);
  assert.equal(log.all('socket-not-removed').length, 1);
});

test('stacks: several questions, one answer each; none when it ends', async (t) => {
  const { app, child, clock } = await start(t);
  child.onStacks = () => ({ 0: 'in view' });
  assert.deepEqual(await Promise.all([app.stacks(), app.stacks()]), [{ 0: 'in view' }, { 0: 'in view' }]);
  child.onStacks = undefined;
  const unanswered = app.stacks();
  child.exit(0);
  assert.equal(await unanswered, undefined);
  await app.exited;
  assert.equal(await app.stacks(), undefined);
  assert.equal(clock.pending, 0);
});

test('SIGTERM that somebody else sent is told', async (t) => {
  const { app, child, terminations } = await start(t);
  child.becomeReady();
  await app.ready();
  child.tell({ event: 'terminated' });
  child.exit(0);
  await app.exited;
  assert.equal(terminations.length, 1);
});

test('every change of state is logged', async (t) => {
  const { app, child, log } = await start(t);
  child.becomeReady();
  await app.ready();
  app.drain();
  await app.stop(5000);
  const changes = log.all('app-state').map(({ fields }) => `${fields.from} -> ${fields.to}`);
  assert.deepEqual(changes, [
    'starting -> ready',
    'ready -> draining',
    'draining -> stopping',
    'stopping -> exited',
  ]);
});

test('a real process is killed with its children', async (t) => {
  const { app } = await start(t, {
    spawn,
    kill: (pid, signal) => void process.kill(pid, signal),
    plan: {
      ...plan,
      command: 'sh',
      args: ['-c', 'sleep 60 & wait'],
      cwd: '/',
      env: { PATH: process.env.PATH },
    },
  });
  app.kill();
  const exit = await app.exited;
  assert.equal(exit.signal, 'SIGKILL');
});

const commandPlan: LaunchPlan = {
  ...plan,
  readiness: 'accepts',
  addresses: [{ protocol: 'http', place: { path: '/nowhere/app.sock' } }],
  hints: { endedEarly: 'stay', neverReady: 'listen' },
};

test('a command that ends by itself, or never listens: what to do about it', async (t) => {
  const ended = await start(t, { plan: commandPlan });
  ended.child.exit(0);
  const early = await failureOf(ended.app);
  assert.deepEqual([early.code, early.hint], ['app-exited', 'stay']);

  const failed = await start(t, { plan: commandPlan });
  failed.child.exit(1);
  assert.equal((await failureOf(failed.app)).hint, undefined);

  const silent = await start(t, { plan: commandPlan });
  silent.child.stderr.write('loading\n');
  const failure = failureOf(silent.app);
  await silent.clock.advanceAsync(60_000);
  const never = await failure;
  assert.deepEqual([never.code, never.hint, never.detail], ['app-not-ready', 'listen', 'loading']);
  assert.deepEqual(silent.child.commands, [], 'a command is not asked for its stacks');
});

test('whoever accepts after the command has ended is somebody else', async (t) => {
  const sockets: EventEmitter[] = [];
  const { app, child } = await start(t, {
    plan: commandPlan,
    connect: () => {
      const socket = Object.assign(new EventEmitter(), { destroy: () => {} });
      sockets.push(socket);
      return socket as unknown as ReturnType<typeof connect>;
    },
  });
  // Its own children hold its output open, so the end is not told yet.
  child.exit(1, null, true);
  await new Promise((resolve) => setImmediate(resolve));
  sockets[0]?.emit('connect');
  assert.equal(app.state, 'starting');
  child.stdout.end();
  child.stderr.end();
  assert.equal((await failureOf(app)).code, 'app-exited');
});

test('over TCP it is told its secret first', async (t) => {
  const place = { host: '127.0.0.1', port: 0 };
  const { app, child } = await start(t, {
    plan: { ...plan, addresses: [{ protocol: 'gateway', place, secret: 'abc' }] },
  });
  assert.deepEqual(child.commands, ['secret']);
  child.tell({ event: 'ready', port: 4711 });
  await app.ready();
  assert.deepEqual(app.address, {
    protocol: 'gateway',
    place: { host: '127.0.0.1', port: 4711 },
    secret: 'abc',
  });
});
