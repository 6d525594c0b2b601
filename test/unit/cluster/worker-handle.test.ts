import assert from 'node:assert/strict';
import type { Worker } from 'node:cluster';
import { test } from 'node:test';
import type { WelcomeMessage } from '../../../src/cluster/messages.js';
import { WorkerHandle } from '../../../src/cluster/worker-handle.js';
import { EasyserveError } from '../../../src/contracts/errors.js';
import { TokenBuckets } from '../../../src/front/limits/token-buckets.js';
import type { SocketHandle } from '../../../src/sockets/socket-handle.js';
import { defaultSettings } from '../../support/default-settings.js';
import { FakeClock } from '../../support/fake-clock.js';
import { FakeWorker } from '../../support/fake-workers.js';

const welcome: WelcomeMessage = {
  kind: 'welcome',
  runFolder: '/run',
  spoolFolder: '/spool',
  env: {},
  log: { format: 'json', level: 'info', colour: false },
};

function makeHandle(pid: number | undefined = 7) {
  const clock = new FakeClock();
  const worker = new FakeWorker(pid);
  return {
    clock,
    worker,
    handle: new WorkerHandle(worker as unknown as Worker, {
      welcome,
      clock,
      buckets: new TokenBuckets(clock),
    }),
  };
}

test('it is welcomed when it says hello, and asked nothing before', async () => {
  const { worker, handle } = makeHandle();
  const committed = handle.commit();
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(worker.messages, []);
  worker.sayHello();
  await committed;
  assert.deepEqual(
    worker.messages.map(({ kind }) => kind),
    ['welcome', 'call'],
  );
});

test('a call is answered with what the site returned', async () => {
  const { worker, handle } = makeHandle();
  worker.sayHello();
  const status = { pid: 7, queued: 1, connections: 2, apps: [] };
  worker.answer = (call) => (call === 'status' ? { result: status } : {});
  assert.deepEqual(await handle.status(), status);
  assert.equal(handle.pid, 7);
});

test('what the site throws is thrown here, as the same error', async () => {
  const { worker, handle } = makeHandle();
  worker.sayHello();
  const record = { code: 'app-exited', message: 'The application exited.', detail: 'Traceback', exitCode: 5 };
  worker.answer = () => ({ error: record });
  const error = await handle.commit().then(
    () => undefined,
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof EasyserveError);
  assert.deepEqual(error.toRecord(), { ...record, hint: undefined });
});

test('the socket travels beside the message', async () => {
  const { worker, handle } = makeHandle();
  worker.sayHello();
  const socket = { fd: 9 } as SocketHandle;
  await handle.listen('http', socket);
  assert.deepEqual(worker.handles, [socket]);
  assert.deepEqual(worker.messages.at(-1), { kind: 'call', id: 1, call: 'listen', args: ['http'] });
});

test('its end rejects every call, those before the hello too', async () => {
  const { worker, handle } = makeHandle();
  const early = assert.rejects(handle.commit(), {
    code: 'worker-exited',
    message: 'A worker was ended by SIGKILL.',
  });
  worker.exit(null, 'SIGKILL');
  await early;
  await assert.rejects(handle.status(), { code: 'worker-exited' });
  assert.equal(await handle.exited, 'was ended by SIGKILL');
  assert.equal(handle.isGone, true);

  const other = makeHandle();
  other.worker.sayHello();
  other.worker.answer = () => undefined;
  const late = assert.rejects(other.handle.drained(), { message: 'A worker exited with code 1.' });
  await other.worker.asked(1);
  other.worker.exit(1);
  await late;
});

test('an answer to a call that nobody waits for is ignored', () => {
  const { worker } = makeHandle();
  worker.emit('message', { kind: 'answer', id: 99 });
});

test('a worker that could not be forked is gone', async () => {
  const { worker, handle } = makeHandle();
  worker.process.pid = undefined;
  worker.emit('error', new Error('spawn EAGAIN'));
  assert.equal(await handle.exited, 'could not be started (spawn EAGAIN)');
  await assert.rejects(handle.commit(), { code: 'worker-exited' });
});

test('a channel that breaks is followed by the exit', async () => {
  const { worker, handle } = makeHandle();
  worker.emit('error', new Error('EPIPE'));
  assert.equal(handle.isGone, false);
});

test('a worker that never says hello is killed', async () => {
  const { clock, worker, handle } = makeHandle();
  worker.obeys = false;
  const refused = assert.rejects(handle.commit(), { code: 'worker-exited' });
  await clock.advanceAsync(31_000);
  await refused;
  assert.equal(await handle.exited, 'was ended by SIGKILL');
  assert.equal(clock.pending, 0);
});

test('stop: the site stops, then the worker leaves', async () => {
  const { clock, worker, handle } = makeHandle();
  worker.sayHello();
  await handle.stop(5000);
  assert.deepEqual(worker.calls, ['stop 5000']);
  assert.equal(worker.messages.at(-1)?.kind, 'leave');
  assert.equal(await handle.exited, 'exited with code 0');
  await handle.stop(5000);
  assert.equal(clock.pending, 0);
});

test('stop: a worker that does not leave is killed', async () => {
  const { clock, worker, handle } = makeHandle();
  worker.sayHello();
  worker.obeys = false;
  const stopped = handle.stop(5000);
  await clock.advanceAsync(5000);
  assert.equal(worker.isGone, false);
  await clock.advanceAsync(1000);
  await stopped;
  assert.equal(await handle.exited, 'was ended by SIGKILL');
});

test('stop: a worker that hangs is killed when all its time is over', async () => {
  const { clock, worker, handle } = makeHandle();
  worker.sayHello();
  await handle.configure(defaultSettings({ killTimeoutMs: 2000 }));
  worker.answer = () => undefined;
  worker.obeys = false;
  const stopped = handle.stop(10_000);
  await clock.advanceAsync(16_999);
  assert.equal(worker.isGone, false);
  await clock.advanceAsync(1001);
  await stopped;
  assert.equal(clock.pending, 0);
});

test('stop: a worker that dies meanwhile has stopped', async () => {
  const { worker, handle } = makeHandle();
  worker.sayHello();
  worker.answer = () => undefined;
  const stopped = handle.stop(5000);
  await worker.asked(1);
  worker.exit(null, 'SIGKILL');
  await stopped;
});

test('kill: told first, so that it ends its applications; killed a second later', async () => {
  const { clock, worker, handle } = makeHandle();
  worker.sayHello();
  worker.obeys = false;
  const killed = handle.kill();
  assert.equal(worker.messages.at(-1)?.kind, 'kill');
  await clock.advanceAsync(1000);
  await killed;
  assert.equal(await handle.exited, 'was ended by SIGKILL');
  await handle.kill();
});
