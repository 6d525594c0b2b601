import type { ChildProcess, SpawnOptions } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { Duplex, PassThrough, type Readable } from 'node:stream';
import type { Spawn } from '../../src/app/process/process-group.js';
import { withDeadline } from './with-deadline.js';

/** A gateway process that does as it is told, seen from easyserve: node:child_process without a process. */
export class FakeChild extends EventEmitter {
  readonly pid: number;
  readonly command: string;
  readonly args: readonly string[];
  readonly options: SpawnOptions;
  readonly stdout = new PassThrough();
  readonly stderr = new PassThrough();
  readonly stdio: readonly [null, Readable, Readable, Duplex];
  /** What easyserve has written to the control descriptor. */
  readonly commands: string[] = [];
  /** Signals that its group got. */
  readonly signals: NodeJS.Signals[] = [];
  /** Whether it ends when it is told to; a process that hangs does not. */
  obeys = true;
  onStacks: (() => Readonly<Record<string, string>> | undefined) | undefined;
  #hasEnded = false;

  constructor(pid: number, command: string, args: readonly string[], options: SpawnOptions) {
    super();
    this.pid = pid;
    this.command = command;
    this.args = args;
    this.options = options;
    const control = new Duplex({
      read: () => {},
      write: (chunk: Buffer, _encoding, done) => {
        for (const line of chunk.toString().trimEnd().split('\n')) this.#obey(JSON.parse(line).command);
        done();
      },
    });
    this.stdio = [null, this.stdout, this.stderr, control];
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** Sends an event, or a line that is none, over the control descriptor. */
  tell(event: object | string): void {
    this.stdio[3].push(`${typeof event === 'string' ? event : JSON.stringify(event)}\n`);
  }

  becomeReady(): void {
    this.tell({ event: 'ready' });
  }

  /** Ends. Its output stays open while `isHeldOpen`, as if a child of its own had inherited it. */
  exit(code: number | null, signal: NodeJS.Signals | null = null, isHeldOpen = false): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.emit('exit', code, signal);
    if (isHeldOpen) return;
    const streams = [this.stdout, this.stderr, this.stdio[3]];
    const closed = streams.map((stream) => new Promise((resolve) => stream.once('close', resolve)));
    void Promise.all(closed).then(() => this.emit('close', code, signal));
    this.stdout.end();
    this.stderr.end();
    this.stdio[3].push(null);
    this.stdio[3].end();
  }

  receive(signal: NodeJS.Signals): void {
    this.signals.push(signal);
    if (signal === 'SIGKILL') this.exit(null, 'SIGKILL');
  }

  #obey(command: string): void {
    this.commands.push(command);
    if (command === 'stop' && this.obeys) this.exit(0);
    const stacks = command === 'stacks' ? this.onStacks?.() : undefined;
    if (stacks !== undefined) this.tell({ event: 'stacks', stacks });
  }
}

/** Stands in for spawn and process.kill; pids count from 1001. */
export class FakeChildren {
  readonly all: FakeChild[] = [];
  /** What the next children do once they have been spawned. */
  onSpawn: (child: FakeChild) => unknown = (child) => child.becomeReady();
  #wake: () => void = () => {};

  readonly spawn: Spawn = (command, args, options) => {
    const child = new FakeChild(1001 + this.all.length, command, args, options);
    this.all.push(child);
    const act = this.onSpawn;
    process.nextTick(() => act(child));
    this.#wake();
    return child as unknown as ChildProcess;
  };

  readonly kill = (pid: number, signal: NodeJS.Signals | 0): void => {
    const child = this.all.find((candidate) => candidate.pid === -pid);
    if (child === undefined || (child.hasEnded && signal !== 'SIGKILL')) {
      throw Object.assign(new Error('kill ESRCH'), { code: 'ESRCH' });
    }
    if (signal !== 0) child.receive(signal);
  };

  /** By the order of their start, from 0. */
  at(index: number): FakeChild {
    const child = this.all[index];
    if (child === undefined) throw new Error(`only ${this.all.length} processes have been started`);
    return child;
  }

  get running(): FakeChild[] {
    return this.all.filter(({ hasEnded }) => !hasEnded);
  }

  /** Resolves when so many have been started in all. */
  async started(count: number): Promise<FakeChild> {
    const reached = new Promise<void>((resolve) => {
      this.#wake = () => {
        if (this.all.length >= count) resolve();
      };
      this.#wake();
    });
    await withDeadline(reached, 10_000, () => `${this.all.length} of ${count} processes were started`);
    return this.at(count - 1);
  }
}
