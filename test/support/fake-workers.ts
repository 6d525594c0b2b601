import type { Worker } from 'node:cluster';
import { EventEmitter } from 'node:events';
import { PassThrough } from 'node:stream';
import type { Release } from '../../src/app/pool/release.js';
import type { CallMessage, SiteCall, ToPrimary, ToWorker } from '../../src/cluster/messages.js';
import type { ErrorRecord } from '../../src/contracts/errors.js';
import { withDeadline } from './with-deadline.js';

type Answer = { readonly result?: unknown } | { readonly error: ErrorRecord };

/** A throng worker as the primary sees it. It says hello, and does what it is asked at once unless it is told otherwise. */
export class FakeWorker extends EventEmitter {
  readonly process: {
    pid: number | undefined;
    readonly stdout: PassThrough;
    readonly stderr: PassThrough;
    kill: (signal: NodeJS.Signals) => void;
  };
  readonly messages: ToWorker[] = [];
  /** Of the calls, as they came: `prepare 2`, with the number of the generation or of the processes. */
  readonly calls: string[] = [];
  readonly handles: unknown[] = [];
  /** Undefined: never answers. */
  answer: (call: SiteCall) => Answer | undefined = () => ({});
  /** Ends when it is told to leave. */
  obeys = true;
  readonly #held: CallMessage[] = [];
  #isGone = false;
  #onCall: () => void = () => {};

  constructor(pid: number | undefined) {
    super();
    const kill = (signal: NodeJS.Signals): void => this.exit(null, signal);
    this.process = { pid, stdout: new PassThrough(), stderr: new PassThrough(), kill };
  }

  get isGone(): boolean {
    return this.#isGone;
  }

  isConnected(): boolean {
    return !this.#isGone;
  }

  send(message: ToWorker, handle?: unknown): void {
    this.messages.push(message);
    if (message.kind === 'call') this.#take(message, handle);
    else if (message.kind !== 'welcome' && this.obeys) process.nextTick(() => this.exit(0));
  }

  sayHello(): void {
    this.#tell({ kind: 'hello' });
  }

  exit(code: number | null, signal: NodeJS.Signals | null = null): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.emit('exit', code, signal);
  }

  /** Answers the calls that were not answered, in their order. */
  release(): void {
    for (const message of this.#held.splice(0)) this.#respond(message, {});
  }

  /** Resolves when it has been asked so many calls. */
  async asked(count: number): Promise<void> {
    const reached = new Promise<void>((resolve) => {
      this.#onCall = () => {
        if (this.calls.length >= count) resolve();
      };
      this.#onCall();
    });
    await withDeadline(reached, 10_000, () => `asked ${this.calls.join(', ')}`);
  }

  #take(message: CallMessage, handle: unknown): void {
    this.calls.push(describeCall(message));
    if (handle !== undefined) this.handles.push(handle);
    const answer = this.answer(message.call);
    if (answer === undefined) this.#held.push(message);
    else process.nextTick(() => this.#respond(message, answer));
    this.#onCall();
  }

  #respond({ id }: CallMessage, answer: Answer): void {
    if (!this.#isGone) this.#tell({ kind: 'answer', id, ...answer });
  }

  /** As if through a channel: nothing but JSON arrives. */
  #tell(message: ToPrimary): void {
    this.emit('message', JSON.parse(JSON.stringify(message)));
  }
}

/** Stands in for WorkerGroup. */
export class FakeWorkers {
  readonly all: FakeWorker[] = [];
  /** What the next workers do once they are forked. */
  onFork: (worker: FakeWorker) => unknown = (worker) => worker.sayHello();
  #onWorker: (worker: Worker) => void = () => {};
  #wake: () => void = () => {};

  async start(count: number, onWorker: (worker: Worker) => void): Promise<void> {
    this.#onWorker = onWorker;
    for (let index = 0; index < count; index += 1) this.add();
  }

  add(): void {
    const worker = new FakeWorker(2001 + this.all.length);
    this.all.push(worker);
    const act = this.onFork;
    process.nextTick(() => {
      this.#onWorker(worker as unknown as Worker);
      act(worker);
    });
    this.#wake();
  }

  /** By the order of the forks, from 0. */
  at(index: number): FakeWorker {
    const worker = this.all[index];
    if (worker === undefined) throw new Error(`only ${this.all.length} workers have been forked`);
    return worker;
  }

  async forked(count: number): Promise<FakeWorker> {
    const reached = new Promise<void>((resolve) => {
      this.#wake = () => {
        if (this.all.length >= count) resolve();
      };
      this.#wake();
    });
    await withDeadline(reached, 10_000, () => `${this.all.length} of ${count} workers were forked`);
    return this.at(count - 1);
  }
}

function describeCall({ call, args }: CallMessage): string {
  const [first, , processes] = args;
  if (typeof first === 'number') return `${call} ${first}`;
  return call === 'prepare' ? `${call} ${(first as Release).generation} x${processes}` : call;
}
