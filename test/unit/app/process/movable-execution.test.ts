import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import type { Ending, Execution } from '../../../../src/app/process/execution.js';
import { MovableExecution } from '../../../../src/app/process/movable-execution.js';
import type { Unfitness } from '../../../../src/app/process/thread-execution.js';

/** Does nothing by itself. */
class FakeExecution implements Execution {
  readonly kind: Execution['kind'];
  readonly pid: number;
  readonly stdout = new PassThrough();
  readonly stderr = new PassThrough();
  readonly control = new PassThrough();
  readonly ended: Promise<Ending>;
  readonly outputEnded: Promise<void>;
  readonly signals: string[] = [];
  #resolve!: (ending: Ending) => void;

  constructor(kind: Execution['kind'], pid: number) {
    this.kind = kind;
    this.pid = pid;
    this.ended = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    this.outputEnded = this.ended.then(() => {});
  }

  end(code: number): void {
    this.stdout.end();
    this.stderr.end();
    this.#resolve({ code, signal: null });
  }

  signal(signal: string): void {
    this.signals.push(signal);
  }

  async memoryBytes(): Promise<number> {
    return this.pid;
  }
}

function makeExecution({ startThread }: { startThread?: () => never } = {}) {
  const thread = new FakeExecution('thread', 1);
  const successor = new FakeExecution('process', 2);
  const reasons: string[] = [];
  let tell: (unfitness: Unfitness) => void = () => {};
  const execution = new MovableExecution({
    startThread: (onUnfit) => {
      startThread?.();
      tell = onUnfit;
      return thread;
    },
    startProcess: () => successor,
    onUnfit: (reason) => reasons.push(reason),
  });
  return { thread, successor, reasons, execution, tell: (unfitness: Unfitness) => tell(unfitness) };
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('a thread that lives is all there is', async () => {
  const { thread, execution } = makeExecution();
  const output = text(execution.stdout);
  thread.stdout.write('from the thread');
  assert.equal(execution.kind, 'thread');
  assert.equal(await execution.memoryBytes(), 1);
  thread.end(3);
  assert.deepEqual(await execution.ended, { code: 3, signal: null });
  execution.stderr.resume();
  await execution.outputEnded;
  assert.equal(await output, 'from the thread');
});

test('a process takes the place of a thread that needs one, before it is ready', async () => {
  const { thread, successor, reasons, execution, tell } = makeExecution();
  const output = text(execution.stdout);
  const events = text(execution.control);
  tell({ reason: 'it calls process.chdir()', isReady: false });
  // Its last words are no matter of anybody's.
  thread.control.push('{"event":"failed"}\n');
  assert.deepEqual(thread.signals, ['SIGKILL']);
  thread.end(1);
  await settled();
  assert.equal(execution.kind, 'process');
  assert.equal(execution.pid, 2);
  successor.control.push('{"event":"ready"}\n');
  successor.stdout.write('from the process');
  execution.signal('SIGTERM');
  assert.deepEqual(successor.signals, ['SIGTERM']);
  successor.end(0);
  assert.deepEqual(await execution.ended, { code: 0, signal: null });
  execution.stderr.resume();
  await execution.outputEnded;
  assert.equal(await output, 'from the process');
  assert.equal(await events, '{"event":"ready"}\n');
  assert.deepEqual(reasons, ['it calls process.chdir()']);
});

test('once it is ready it goes on, and wishes for a successor, once', async () => {
  const { thread, reasons, execution, tell } = makeExecution();
  const events = text(execution.control);
  for (const reason of ['it starts another process', 'it calls process.chdir()'])
    tell({ reason, isReady: true });
  assert.equal(execution.kind, 'thread');
  thread.end(0);
  for (const stream of [execution.stdout, execution.stderr]) stream.resume();
  await execution.outputEnded;
  assert.equal(await events, '{"event":"terminated","reason":"it starts another process"}\n');
  assert.deepEqual(reasons, ['it starts another process']);
});

test('told to end in the middle of the move, no process is started', async () => {
  const { thread, execution, tell } = makeExecution();
  tell({ reason: 'it calls process.chdir()', isReady: false });
  execution.signal('SIGTERM');
  thread.end(1);
  assert.equal((await execution.ended).code, 1);
  assert.equal(execution.kind, 'thread');
});

test('flags that no thread takes: a process at once', () => {
  const { reasons, execution } = makeExecution({
    startThread: () => {
      throw new Error('invalid execArgv flags: --expose-gc');
    },
  });
  assert.equal(execution.kind, 'process');
  assert.deepEqual(reasons, ['invalid execArgv flags: --expose-gc']);
});
