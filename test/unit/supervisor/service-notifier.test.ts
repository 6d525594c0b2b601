import assert from 'node:assert/strict';
import type { ChildProcess, spawn } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { test } from 'node:test';
import { ServiceNotifier } from '../../../src/supervisor/service-notifier.js';
import { FakeClock } from '../../support/fake-clock.js';
import { RecordingLog } from '../../support/recording-log.js';

/** Programs that end when the test says so. */
class FakePrograms {
  readonly started: { readonly args: readonly string[]; readonly child: EventEmitter }[] = [];

  readonly spawn = ((_command: string, args: readonly string[]) => {
    const child = new EventEmitter();
    this.started.push({ args, child });
    return child as ChildProcess;
  }) as unknown as typeof spawn;

  async end(code: number): Promise<void> {
    this.started.at(-1)?.child.emit('close', code, null);
    await new Promise((resolve) => setImmediate(resolve));
  }

  get messages(): string[] {
    return this.started.map(({ args }) => args.join(' '));
  }
}

function makeNotifier(env: Record<string, string>) {
  const clock = new FakeClock();
  const log = new RecordingLog();
  const programs = new FakePrograms();
  const notifier = new ServiceNotifier({ env, pid: 42, clock, log, spawn: programs.spawn });
  return { notifier, clock, log, programs };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

test('one message after the other, and close waits for the last', async () => {
  const { notifier, programs } = makeNotifier({ NOTIFY_SOCKET: '/run/notify' });
  notifier.tell('running');
  notifier.tell('stopping');
  const closed = notifier.close();
  await settled();
  assert.deepEqual(programs.messages, ['READY=1 MAINPID=42 STATUS=serving']);
  await programs.end(0);
  assert.match(programs.messages[1] ?? '', /^STOPPING=1 /);
  await programs.end(0);
  await closed;
});

test('the watchdog is answered at half of its time, until the end, and nothing piles up', async () => {
  const { notifier, clock, programs } = makeNotifier({
    NOTIFY_SOCKET: '/run/notify',
    WATCHDOG_USEC: '20000000',
    WATCHDOG_PID: '42',
  });
  await clock.advanceAsync(9_999);
  assert.deepEqual(programs.messages, []);
  await clock.advanceAsync(30_000);
  assert.deepEqual(programs.messages, ['WATCHDOG=1']);
  await programs.end(0);
  await clock.advanceAsync(10_000);
  assert.equal(programs.messages.length, 2);
  await programs.end(0);
  await notifier.close();
  assert.equal(clock.pending, 0);
});

test('without NOTIFY_SOCKET, or with a watchdog for another process, nothing is sent', async () => {
  for (const env of [
    { WATCHDOG_USEC: '1000' },
    { NOTIFY_SOCKET: '/n', WATCHDOG_USEC: '1000', WATCHDOG_PID: '7' },
  ]) {
    const { notifier, clock, programs } = makeNotifier(env as unknown as Record<string, string>);
    if (!('NOTIFY_SOCKET' in env)) notifier.tell('running');
    await clock.advanceAsync(5_000);
    await notifier.close();
    assert.deepEqual(programs.messages, []);
  }
});

test('a service manager that cannot be told is a warning, once', async () => {
  const { notifier, log, programs } = makeNotifier({ NOTIFY_SOCKET: '/run/notify' });
  for (const state of ['running', 'reloading', 'running'] as const) {
    notifier.tell(state);
    await settled();
    await programs.end(1);
  }
  await notifier.close();
  assert.equal(log.all('notify-failed').length, 1);
  assert.equal(programs.messages.length, 3);
});
