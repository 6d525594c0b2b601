import { Duplex, PassThrough, type Readable } from 'node:stream';
import type { Ending, Execution } from './execution.js';
import type { Unfitness } from './thread-execution.js';

export interface MovableExecutionOptions {
  /** Throws where a thread is out of the question from the beginning: flags that it does not take. */
  readonly startThread: (onUnfit: (unfitness: Unfitness) => void) => Execution;
  readonly startProcess: () => Execution;
  /** It will be started as a process from now on. */
  readonly onUnfit: (reason: string) => void;
}

/**
 * An application that begins in a thread, and begins anew in a process when it does something, before it is ready, that no
 * thread can do. Once it is ready it wishes for a successor instead, which will be a process (ThreadFitness). Made by
 * executePlans.
 */
export class MovableExecution implements Execution {
  readonly stdout: Readable;
  readonly stderr: Readable;
  readonly control: Duplex;
  readonly ended: Promise<Ending>;
  readonly outputEnded: Promise<void>;
  readonly #options: MovableExecutionOptions;
  readonly #outputs = { stdout: new PassThrough(), stderr: new PassThrough() };
  #current: Execution;
  #isMoving = false;
  /** Told to end while there was nothing to be told. */
  #isUnwanted = false;
  #isUnfit = false;

  constructor(options: MovableExecutionOptions) {
    this.#options = options;
    this.stdout = this.#outputs.stdout;
    this.stderr = this.#outputs.stderr;
    this.control = new Duplex({
      read: () => {},
      write: (chunk, _encoding, done) => {
        this.#current.control?.write(chunk);
        done();
      },
    });
    this.#current = this.#start();
    this.ended = this.#followEnd();
    this.outputEnded = this.ended.then(() => this.#endOutput());
  }

  get pid(): number {
    return this.#current.pid;
  }

  get kind(): Execution['kind'] {
    return this.#current.kind;
  }

  signal(signal: 'SIGTERM' | 'SIGKILL'): void {
    this.#isUnwanted = true;
    if (!this.#isMoving || signal === 'SIGKILL') this.#current.signal(signal);
  }

  memoryBytes(): Promise<number | undefined> {
    return this.#current.memoryBytes();
  }

  // Private

  #start(): Execution {
    try {
      return this.#attach(this.#options.startThread((unfitness) => this.#onUnfit(unfitness)));
    } catch (error) {
      this.#options.onUnfit((error as Error).message);
      return this.#attach(this.#options.startProcess());
    }
  }

  #attach(execution: Execution): Execution {
    const { stdout, stderr, control } = execution;
    stdout?.pipe(this.#outputs.stdout, { end: false });
    stderr?.pipe(this.#outputs.stderr, { end: false });
    control?.on('data', (chunk: Buffer) => {
      if (!this.#isMoving) this.control.push(chunk);
    });
    control?.on('error', () => {}); // it is gone: its end tells
    return execution;
  }

  #onUnfit({ reason, isReady }: Unfitness): void {
    if (this.#isUnfit) return;
    this.#isUnfit = true;
    this.#options.onUnfit(reason);
    if (isReady) {
      this.control.push(`${JSON.stringify({ event: 'terminated', reason })}\n`);
      return;
    }
    this.#isMoving = true;
    this.#current.signal('SIGKILL');
  }

  async #followEnd(): Promise<Ending> {
    const thread = this.#current;
    const ending = await thread.ended;
    if (!this.#isMoving || this.#isUnwanted) return ending;
    await thread.outputEnded;
    this.#isMoving = false;
    this.#current = this.#attach(this.#options.startProcess());
    if (this.#isUnwanted) this.#current.signal('SIGKILL');
    return this.#current.ended;
  }

  async #endOutput(): Promise<void> {
    await this.#current.outputEnded;
    this.control.push(null);
    await Promise.all(
      Object.values(this.#outputs).map(
        (output) =>
          new Promise<void>((resolve) => {
            output.once('close', resolve);
            output.end();
          }),
      ),
    );
  }
}
