import { Duplex, PassThrough, type Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import {
  MessageChannel,
  type MessagePort,
  receiveMessageOnPort,
  type Worker,
  type WorkerOptions,
} from 'node:worker_threads';
import type { ThreadData, ThreadReport, ThreadRequest } from '../../contracts/node-order.js';
import type { ThreadPlan } from '../servers/application-server.js';
import type { Ending, Execution } from './execution.js';
import type { ThreadMemory } from './thread-memory.js';

export type StartWorker = (file: string, options: WorkerOptions) => Worker;

/** It needs a process of its own; `isReady`: it serves already, and may go on until it is replaced. */
export interface Unfitness {
  /** `it calls process.chdir()` */
  readonly reason: string;
  readonly isReady: boolean;
}

export interface ThreadExecutionOptions {
  readonly thread: ThreadPlan;
  readonly startWorker: StartWorker;
  readonly memory: ThreadMemory;
  readonly onUnfit: (unfitness: Unfitness) => void;
}

/** Out of reach, for V8 may abort the process there; ThreadMemory has the limit that counts. */
const HEAP_LIMIT_MB = 64 * 1024;
const MEASURE_TIMEOUT_MS = 1000;

/**
 * An application in a worker thread of this process. Its errors, its endless loops and its hunger for memory end the thread,
 * and nothing else. Made by MovableExecution. The constructor throws what worker_threads has to say against the flags.
 */
export class ThreadExecution implements Execution {
  readonly kind = 'thread';
  readonly pid = process.pid;
  readonly stdout: Readable;
  readonly stderr: Readable;
  readonly control: Duplex;
  readonly ended: Promise<Ending>;
  readonly outputEnded: Promise<void>;
  readonly #onUnfit: (unfitness: Unfitness) => void;
  readonly #worker: Worker;
  readonly #port: MessagePort;
  /** What it writes, and its last error. */
  readonly #stderr = new PassThrough();
  readonly #measured = new Set<() => void>();
  /** Undefined between a question and its answer. */
  #usedBytes: number | undefined = 0;
  #isReady = false;
  #isKilled = false;
  #reason: string | undefined;

  constructor(options: ThreadExecutionOptions) {
    this.#onUnfit = options.onUnfit;
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    this.#worker = startThread(options, port2);
    this.stdout = this.#worker.stdout;
    this.stderr = this.#stderr;
    this.#worker.stderr.pipe(this.#stderr, { end: false });
    this.control = this.#openControl();
    this.#port.on('message', (report: ThreadReport) => this.#onReport(report));
    this.#worker.on('error', (error: unknown) => this.#onError(error));
    this.ended = this.#watchEnd(options.memory);
    const outputs = [this.stdout, this.#worker.stderr].map((output) => finished(output));
    this.outputEnded = Promise.allSettled(outputs).then(() => finished(this.#stderr.end()));
  }

  /** SIGTERM asks the application to end; SIGKILL ends it. */
  signal(signal: 'SIGTERM' | 'SIGKILL'): void {
    if (signal === 'SIGTERM') {
      this.#send({ line: JSON.stringify({ command: 'stop' }) });
      return;
    }
    this.#isKilled = true;
    void this.#worker.terminate();
  }

  memoryBytes(): Promise<number | undefined> {
    return new Promise((resolve) => {
      const settle = (): void => {
        clearTimeout(timer);
        this.#measured.delete(settle);
        resolve(this.#usedBytes);
      };
      const timer = setTimeout(settle, MEASURE_TIMEOUT_MS);
      this.#measured.add(settle);
      this.#measure();
    });
  }

  // Private

  #openControl(): Duplex {
    return new Duplex({
      read: () => {},
      // AppControl writes one whole line at a time.
      write: (chunk: Buffer, _encoding, done) => {
        this.#send({ line: chunk.toString().trimEnd() });
        done();
      },
    });
  }

  #send(request: ThreadRequest): void {
    this.#port.postMessage(request);
  }

  #measure(): void {
    this.#usedBytes = undefined;
    this.#send({ measure: true });
  }

  #onReport(report: ThreadReport): void {
    if ('line' in report) {
      this.#isReady ||= (JSON.parse(report.line) as { event: string }).event === 'ready';
      this.control.push(`${report.line}\n`);
    } else if ('usedBytes' in report) {
      this.#usedBytes = report.usedBytes;
      for (const settle of this.#measured) settle();
    } else this.#onUnfit({ reason: report.needsProcess, isReady: report.isReady });
  }

  /** The end of the thread may be heard of before its last words, and close() would drop them. */
  #readLastReports(): void {
    for (let last = receiveMessageOnPort(this.#port); last; last = receiveMessageOnPort(this.#port)) {
      this.#onReport(last.message as ThreadReport);
    }
  }

  /** Node prints the error of a main thread; of another thread this is all that tells. */
  #onError(error: unknown): void {
    const { code, stack } = error as NodeJS.ErrnoException;
    if (code === 'ERR_WORKER_OUT_OF_MEMORY') this.#reason = 'its thread ran out of memory';
    this.#stderr.write(`${stack ?? String(error)}\n`);
  }

  #watchEnd(memory: ThreadMemory): Promise<Ending> {
    const stopWatch = memory.watch({
      usedBytes: () => this.#usedBytes,
      measure: () => this.#measure(),
      onLarge: (usedBytes) => this.#reportSize(`it uses ${toMegabytes(usedBytes)} of memory`),
      onExhausted: (limitBytes) => this.#exhaust(limitBytes),
    });
    return new Promise((resolve) => {
      this.#worker.once('exit', (code) => {
        stopWatch();
        this.#readLastReports();
        this.#port.close();
        for (const settle of this.#measured) settle();
        this.control.push(null);
        const ending = this.#isKilled ? { code: null, signal: 'SIGKILL' as const } : { code, signal: null };
        resolve({ ...ending, reason: this.#reason });
      });
    });
  }

  #exhaust(limitBytes: number): void {
    if (this.#reason !== undefined) return; // is being ended
    this.#reason = `its thread ran out of memory: threads may use ${toMegabytes(limitBytes)}`;
    this.#reportSize(`it used more than ${toMegabytes(limitBytes)} of memory`);
    void this.#worker.terminate();
  }

  #reportSize(reason: string): void {
    this.#onUnfit({ reason, isReady: this.#isReady });
  }
}

// Private

function startThread({ thread, startWorker }: ThreadExecutionOptions, port: MessagePort): Worker {
  const data: ThreadData<MessagePort> = { easyserveOrder: thread.order, easyservePort: port };
  return startWorker(thread.file, {
    execArgv: [...thread.execArgv],
    argv: [...thread.argv],
    env: thread.env as NodeJS.ProcessEnv,
    workerData: data,
    transferList: [port],
    stdout: true,
    stderr: true,
    resourceLimits: { maxOldGenerationSizeMb: HEAP_LIMIT_MB },
  });
}

function toMegabytes(bytes: number): string {
  return `${Math.round(bytes / 1e6)} MB`;
}
