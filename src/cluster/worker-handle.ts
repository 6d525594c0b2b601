import type { Worker } from 'node:cluster';
import type { ProbeRule } from '../app/generation.js';
import type { Release } from '../app/release.js';
import type { Clock } from '../clock.js';
import { EasyserveError, StartError } from '../errors.js';
import type { SocketHandle } from '../front/listening-socket.js';
import type { Settings } from '../settings/settings.js';
import type { SiteControl } from '../site-control.js';
import type { SiteStatus } from '../status.js';
import type { CallArguments, SiteCall, ToPrimary, ToWorker, WelcomeMessage } from './messages.js';

interface PendingCall {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

const LEAVE_TIMEOUT_MS = 5000;

/** The site of a throng worker, from the primary's side. Created by ClusterRunner; the other end is worker.ts. */
export class WorkerHandle implements SiteControl {
  /** Resolves when the worker is gone. */
  readonly exited: Promise<string>;
  readonly #worker: Worker;
  readonly #clock: Clock;
  readonly #calls = new Map<number, PendingCall>();
  readonly #hello: Promise<void>;
  #lastId = 0;
  #isGone = false;

  constructor(worker: Worker, welcome: WelcomeMessage, clock: Clock) {
    this.#worker = worker;
    this.#clock = clock;
    this.exited = new Promise((resolve) => {
      worker.once('exit', (code, signal) => {
        this.#isGone = true;
        const how = signal ? `was ended by ${signal}` : `exited with code ${code}`;
        for (const { reject } of this.#calls.values()) reject(gone(how));
        this.#calls.clear();
        resolve(how);
      });
    });
    // A channel that breaks is followed by the exit, which tells what is needed.
    worker.on('error', () => {});
    this.#hello = new Promise((resolve, reject) => {
      worker.on('message', (message: ToPrimary) => {
        if (message.kind === 'hello') {
          this.#send(welcome);
          resolve();
        } else this.#settle(message);
      });
      void this.exited.then((how) => reject(gone(how)));
    });
    this.#hello.catch(() => {}); // each call hears of it
  }

  get pid(): number {
    return this.#worker.process.pid ?? 0;
  }

  prepare(release: Release, rule: ProbeRule): Promise<void> {
    return this.#call('prepare', [release, rule]);
  }

  commit(): Promise<void> {
    return this.#call('commit', []);
  }

  discard(): Promise<void> {
    return this.#call('discard', []);
  }

  drained(): Promise<void> {
    return this.#call('drained', []);
  }

  configure(settings: Settings): Promise<void> {
    return this.#call('configure', [settings]);
  }

  listen(handle: SocketHandle): Promise<void> {
    return this.#call('listen', [handle], handle);
  }

  scale(processes: number, totalProcesses: number): Promise<void> {
    return this.#call('scale', [processes, totalProcesses]);
  }

  status(): Promise<SiteStatus> {
    return this.#call('status', []);
  }

  /** Ends the worker too. */
  async stop(drainTimeoutMs: number): Promise<void> {
    if (this.#isGone) return;
    await Promise.race([this.#call('stop', [drainTimeoutMs]), this.exited]);
    this.#send({ kind: 'leave' });
    const cancel = this.#clock.after(LEAVE_TIMEOUT_MS, () => this.kill());
    await this.exited;
    cancel();
  }

  kill(): void {
    if (!this.#isGone) this.#worker.process.kill('SIGKILL');
  }

  // Private

  async #call<C extends SiteCall>(
    call: C,
    args: CallArguments<C>,
    handle?: SocketHandle,
  ): Promise<Awaited<ReturnType<SiteControl[C]>>> {
    await this.#hello;
    if (this.#isGone) throw gone('has ended');
    this.#lastId += 1;
    const id = this.#lastId;
    return new Promise<Awaited<ReturnType<SiteControl[C]>>>((resolve, reject) => {
      // The worker answers with what Site returned for this very call.
      this.#calls.set(id, {
        resolve: (result) => resolve(result as Awaited<ReturnType<SiteControl[C]>>),
        reject,
      });
      this.#send({ kind: 'call', id, call, args: handle === undefined ? args : [] }, handle);
    });
  }

  #send(message: ToWorker, handle?: SocketHandle): void {
    if (!this.#worker.isConnected()) return; // the exit settles what waits
    this.#worker.send(message, handle as never);
  }

  #settle(message: Extract<ToPrimary, { kind: 'answer' }>): void {
    const call = this.#calls.get(message.id);
    this.#calls.delete(message.id);
    if (message.error === undefined) call?.resolve(message.result);
    else call?.reject(EasyserveError.fromRecord(message.error));
  }
}

// Private

function gone(how: string): StartError {
  return new StartError('worker-exited', `A worker ${how}.`);
}
