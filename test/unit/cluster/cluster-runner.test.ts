import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Release } from '../../../src/app/pool/release.js';
import { ClusterRunner } from '../../../src/cluster/cluster-runner.js';
import type { ListeningSocket } from '../../../src/sockets/listening-socket.js';
import type { SocketHandle } from '../../../src/sockets/socket-handle.js';
import { defaultSettings } from '../../support/default-settings.js';
import { FakeClock } from '../../support/fake-clock.js';
import { type FakeWorker, FakeWorkers } from '../../support/fake-workers.js';
import { makeRelease } from '../../support/make-release.js';
import { RecordingLog } from '../../support/recording-log.js';

const broken = { error: { code: 'app-exited', message: 'It exited.', exitCode: 5 } };

/** Its descriptor is -1 when it is closed. */
function socketNumber(fd: number): ListeningSocket {
  const handle = { fd } as { -readonly [K in keyof SocketHandle]: SocketHandle[K] };
  const close = (): void => {
    handle.fd = -1;
  };
  return { scheme: 'http', handle, close } as ListeningSocket;
}

function releaseOf(generation: number, processes = 4, fronts = 2): Release {
  return makeRelease({ generation, plan: { mode: 'cluster', processes, fronts, threads: 4 } });
}

function makeRunner(removeLeftovers: (pid: number) => Promise<void> = async () => {}) {
  const clock = new FakeClock();
  const log = new RecordingLog();
  const workers = new FakeWorkers();
  const gone: number[] = [];
  const output: string[] = [];
  const runner = new ClusterRunner({
    welcome: {
      kind: 'welcome',
      runFolder: '/run',
      spoolFolder: '/spool',
      env: {},
      log: { format: 'json', level: 'info', colour: false },
    },
    clock,
    log,
    group: workers,
    takeOutput: (source, stream) => source.on('data', (text) => output.push(`${stream} ${text}`)),
    onWorkerGone: (pid) => {
      gone.push(pid);
      return removeLeftovers(pid);
    },
  });
  return { clock, log, workers, gone, output, runner };
}

/** Two workers that serve generation 1 with two processes each. */
async function startRunner() {
  const world = makeRunner();
  await world.runner.start(releaseOf(1));
  await world.runner.listen(socketNumber(1));
  return { ...world, first: world.workers.at(0), second: world.workers.at(1) };
}

test('start: the processes are shared out, all prepare, then all serve', async () => {
  const { runner, workers } = makeRunner();
  await runner.start(releaseOf(1, 5, 3));
  await runner.listen(socketNumber(1));
  assert.deepEqual(
    workers.all.map(({ calls }) => calls),
    [
      ['prepare 1 x2', 'commit', 'listen'],
      ['prepare 1 x2', 'commit', 'listen'],
      ['prepare 1 x1', 'commit', 'listen'],
    ],
  );
  assert.deepEqual(workers.at(2).handles, [{ fd: 1 }]);
});

test('start: a worker that a stray signal ends before it serves is forked again, in its place', async () => {
  const { runner, workers } = makeRunner();
  const endBy = (worker: FakeWorker): void => {
    if (worker.process.pid === 2001) worker.exit(null, 'SIGUSR2');
    else worker.sayHello();
    if (worker.process.pid === 2002) {
      worker.answer = () => {
        worker.exit(null, 'SIGUSR1');
        return undefined;
      };
    }
  };
  workers.onFork = endBy;
  await runner.start(releaseOf(1, 5, 2));
  assert.deepEqual(
    workers.all.map(({ calls }) => calls),
    [[], ['prepare 1 x2'], ['prepare 1 x3', 'commit'], ['prepare 1 x2', 'commit']],
  );
});

test('start: one worker that cannot prepare ends them all, and none is forked again', async () => {
  const { runner, workers, clock } = makeRunner();
  workers.onFork = (worker) => {
    if (worker.process.pid === 2002) worker.answer = (call) => (call === 'prepare' ? broken : {});
    worker.sayHello();
  };
  await assert.rejects(runner.start(releaseOf(1)), { code: 'app-exited' });
  assert.deepEqual(
    workers.all.map(({ isGone }) => isGone),
    [true, true],
  );
  await clock.advanceAsync(60_000);
  assert.equal(workers.all.length, 2);
});

test('start: a worker that dies at once refuses it', async () => {
  const { runner, workers } = makeRunner();
  workers.onFork = (worker) => (worker.process.pid === 2002 ? worker.exit(1) : worker.sayHello());
  await assert.rejects(runner.start(releaseOf(1)), {
    message: 'A worker exited with code 1.',
  });
  assert.equal(workers.at(0).isGone, true);
});

test('stop while the workers are forked leaves none', async () => {
  const { runner, workers } = makeRunner();
  const refused = assert.rejects(runner.start(releaseOf(1)));
  await runner.stop(1000);
  await refused;
  assert.ok(workers.all.every(({ isGone }) => isGone));
});

test('a reload is prepared in all before it is committed in any', async () => {
  const { runner, first, second } = await startRunner();
  second.answer = (call) => (call === 'prepare' ? undefined : {});
  const prepared = runner.prepare(releaseOf(2));
  await second.asked(4);
  assert.equal(first.calls.at(-1), 'prepare 2 x2');
  second.release();
  await prepared;
  await runner.commit();
  await runner.drained();
  for (const { calls } of [first, second])
    assert.deepEqual(calls.slice(3), ['prepare 2 x2', 'commit', 'drained']);
});

test('a reload that fails in one is discarded in all', async () => {
  const { runner, first, second } = await startRunner();
  second.answer = (call) => (call === 'prepare' ? broken : {});
  await assert.rejects(runner.prepare(releaseOf(2)), { code: 'app-exited' });
  for (const { calls } of [first, second]) assert.deepEqual(calls.slice(3), ['prepare 2 x2', 'discard']);
  await assert.rejects(runner.commit(), /nothing is prepared/);
});

test('a worker that dies is forked again with what is current', async () => {
  const { runner, workers, first, second, clock, log, gone } = await startRunner();
  await runner.prepare(releaseOf(2));
  await runner.commit();
  first.exit(null, 'SIGKILL');
  await log.seen('worker-crashed');
  assert.deepEqual(gone, [2001]);
  assert.equal(workers.all.length, 2);
  await clock.advanceAsync(250);
  await log.seen('worker-ready');
  assert.deepEqual(workers.at(2).calls, ['prepare 2 x2', 'commit', 'listen']);
  assert.equal(second.calls.length, 5, 'the other one is not disturbed');
});

test('the pause before a fork doubles', async () => {
  const { workers, clock, log } = await startRunner();
  workers.onFork = (worker) => worker.exit(1);
  workers.at(0).exit(1);
  for (const [crash, longestMs] of [250, 500, 1000].entries()) {
    await log.seen('worker-crashed', crash + 1);
    await clock.advanceAsync(longestMs);
    assert.equal(workers.all.length, 3 + crash);
  }
});

test('a worker that comes up but cannot prepare is ended and tried again', async () => {
  const { workers, clock, log } = await startRunner();
  workers.onFork = (worker) => {
    worker.answer = () => broken;
    worker.sayHello();
  };
  workers.at(0).exit(1);
  await log.seen('worker-crashed');
  await clock.advanceAsync(300);
  await log.seen('worker-start-failed');
  workers.onFork = (worker) => worker.sayHello();
  await log.seen('worker-crashed', 2);
  await clock.advanceAsync(600);
  await log.seen('worker-ready');
});

test('a worker that dies during the prepare refuses the reload, and comes back with the old release', async () => {
  const { runner, workers, first, second, clock, log } = await startRunner();
  second.answer = () => undefined;
  const refused = assert.rejects(runner.prepare(releaseOf(2)), { code: 'worker-exited' });
  await second.asked(4);
  second.exit(null, 'SIGKILL');
  await refused;
  assert.equal(first.calls.at(-1), 'discard');
  await clock.advanceAsync(300);
  await log.seen('worker-ready');
  assert.deepEqual(workers.at(2).calls, ['prepare 1 x2', 'commit', 'listen']);
});

test('a worker that is down during a reload comes back with the new release', async () => {
  const { runner, workers, first, clock, log } = await startRunner();
  first.exit(1);
  await log.seen('worker-crashed');
  await runner.prepare(releaseOf(2));
  await runner.commit();
  await clock.advanceAsync(300);
  await log.seen('worker-ready');
  assert.deepEqual(workers.at(2).calls, ['prepare 2 x2', 'commit', 'listen']);
});

test('one that comes up between prepare and commit gets the new release at the commit', async () => {
  const { runner, workers, first, clock, log } = await startRunner();
  first.exit(1);
  await log.seen('worker-crashed');
  await runner.prepare(releaseOf(2));
  await clock.advanceAsync(300);
  await log.seen('worker-ready');
  await runner.commit();
  assert.deepEqual(workers.at(2).calls, ['prepare 1 x2', 'commit', 'listen', 'prepare 2 x2', 'commit']);
});

test('one that is coming up during a whole reload catches up before it counts', async () => {
  const { runner, workers, first, second, clock, log } = await startRunner();
  workers.onFork = (worker) => {
    worker.answer = () => undefined;
    worker.sayHello();
  };
  first.exit(1);
  await log.seen('worker-crashed');
  await clock.advanceAsync(300);
  const third = await workers.forked(3);
  await third.asked(1);
  await runner.prepare(releaseOf(2));
  await runner.commit();
  await runner.listen(socketNumber(2));
  assert.deepEqual(second.calls.slice(3), ['prepare 2 x2', 'commit', 'listen']);
  assert.deepEqual(third.calls, ['prepare 1 x2'], 'one thing after the other');
  third.answer = () => ({});
  third.release();
  await log.seen('worker-ready');
  assert.deepEqual(third.calls, ['prepare 1 x2', 'commit', 'listen', 'prepare 2 x2', 'commit']);
  assert.deepEqual(third.handles, [{ fd: 2 }]);
});

test('one that is coming up while a scheme is given up does not go on listening for it', async () => {
  const { runner, workers, first, clock, log } = await startRunner();
  const secure = { ...socketNumber(5), scheme: 'https' } as ListeningSocket;
  await runner.listen(secure);
  workers.onFork = (worker) => {
    worker.answer = (call) => (call === 'listen' && worker.handles.length === 2 ? undefined : {});
    worker.sayHello();
  };
  first.exit(1);
  await log.seen('worker-crashed');
  await clock.advanceAsync(300);
  const third = await workers.forked(3);
  await third.asked(4);
  await runner.unlisten('https');
  third.answer = () => ({});
  third.release();
  await log.seen('worker-ready');
  assert.deepEqual(third.calls, ['prepare 1 x2', 'commit', 'listen', 'listen', 'unlisten']);
});

test('without a worker there is nothing to reload', async () => {
  const { runner, first, second, log } = await startRunner();
  first.exit(1);
  second.exit(1);
  await log.seen('worker-crashed', 2);
  await assert.rejects(runner.prepare(releaseOf(2)), { code: 'worker-exited' });
});

test('a worker that dies during the commit does not fail it', async () => {
  const { runner, first, second } = await startRunner();
  await runner.prepare(releaseOf(2));
  second.answer = () => undefined;
  const committed = runner.commit();
  await second.asked(5);
  second.exit(null, 'SIGKILL');
  await committed;
  assert.equal(first.calls.at(-1), 'commit');
});

test('settings and the socket go to all, and to those that come back', async () => {
  const { runner, workers, first, second, clock, log } = await startRunner();
  await runner.configure(defaultSettings({ queueRequests: 5 }));
  await runner.listen(socketNumber(7));
  assert.deepEqual(second.calls.slice(3), ['configure', 'listen']);
  first.exit(1);
  await log.seen('worker-crashed');
  await clock.advanceAsync(300);
  await log.seen('worker-ready');
  const prepare = workers.at(2).messages.find((message) => message.kind === 'call');
  assert.match(JSON.stringify(prepare), /"queueRequests":5/);
  assert.deepEqual(workers.at(2).handles, [{ fd: 7 }]);
});

test('scale shares the new number out', async () => {
  const { runner, first, second } = await startRunner();
  await runner.scale(7);
  assert.deepEqual([first.calls.at(-1), second.calls.at(-1)], ['scale 4', 'scale 3']);
  await assert.rejects(runner.scale(1), { code: 'too-few-processes' });
});

test('a scale that fails in one is taken back in all', async () => {
  const { runner, workers, first, second, clock, log } = await startRunner();
  second.answer = (call) => (call === 'scale' && second.calls.length === 4 ? broken : {});
  await assert.rejects(runner.scale(8), { code: 'app-exited' });
  assert.deepEqual(first.calls.slice(3), ['scale 4', 'scale 2']);
  assert.deepEqual(second.calls.slice(3), ['scale 4', 'scale 2']);
  first.exit(1);
  await log.seen('worker-crashed');
  await clock.advanceAsync(300);
  await log.seen('worker-ready');
  assert.equal(workers.at(2).calls[0], 'prepare 1 x2');
});

test('status tells of those that live', async () => {
  const { runner, first, second } = await startRunner();
  const status = (pid: number) => ({ result: { pid, queued: 0, connections: 0, apps: [] } });
  first.answer = () => status(2001);
  second.answer = () => undefined;
  const asked = runner.status();
  await second.asked(4);
  second.exit(1);
  assert.deepEqual(
    (await asked).map(({ pid }) => pid),
    [2001],
  );
});

test('stop ends all, and nothing comes back', async () => {
  const { runner, workers, clock } = await startRunner();
  const socket = socketNumber(3);
  await runner.listen(socket);
  await runner.stop(5000);
  assert.equal(socket.handle.fd, -1, 'ours would go on taking connections');
  assert.ok(workers.all.every(({ isGone, calls }) => isGone && calls.at(-1) === 'stop 5000'));
  await clock.advanceAsync(60_000);
  assert.equal(workers.all.length, 2);
});

test('stop during the pause before a fork: no fork', async () => {
  const { runner, workers, first, clock, log } = await startRunner();
  first.exit(1);
  await log.seen('worker-crashed');
  await runner.stop(5000);
  await clock.advanceAsync(60_000);
  assert.equal(workers.all.length, 2);
});

test('kill ends all at once', async () => {
  const { runner, workers } = await startRunner();
  await runner.kill();
  assert.ok(workers.all.every(({ isGone, messages }) => isGone && messages.at(-1)?.kind === 'kill'));
});

test('what the workers write is passed on', async () => {
  const { first, output } = await startRunner();
  first.process.stdout.write('a line\n');
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(output, ['stdout a line\n']);
});

test('leftovers that cannot be removed do not keep the worker from coming back', async () => {
  const { clock, log, workers, runner } = makeRunner(() => Promise.reject(new Error('EACCES')));
  await runner.start(releaseOf(1));
  workers.at(0).exit(1);
  await log.seen('worker-crashed');
  assert.equal(log.all('leftovers-not-removed').length, 1);
  await clock.advanceAsync(300);
  await log.seen('worker-ready');
});
