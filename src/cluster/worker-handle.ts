import type { Worker } from 'node:cluster';
import type { ProbeRule } from '../app/pool/health.js';
import type { Release } from '../app/pool/release.js';
import type { Clock } from '../contracts/clock.js';
import { EasyserveError, StartError } from '../contracts/errors.js';
import type { Scheme } from '../contracts/scheme.js';
import type { SiteStatus } from '../contracts/status.js';
import { endCode } from '../contracts/stray-signals.js';
import type { TlsMaterial } from '../contracts/tls-material.js';
import type { TokenBuckets } from '../front/limits/token-buckets.js';
import type { Settings } from '../settings/settings.js';
import type { SiteControl } from '../site/site-control.js';
import type { SocketHandle } from '../sockets/socket-handle.js';
import type { CallArguments, SiteCall, ToPrimary, ToWorker, WelcomeMessage } from './messages.js';
import { WorkerTimeouts } from './worker-timeouts.js';

interface PendingCall {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

const STATUS_TIMEOUT_MS = 5000;
/** From the fork until it listens to messages. */
const HELLO_TIMEOUT_MS = 30_000;
const LEAVE_TIMEOUT_MS = 5000;
/** A worker that is told to end first ends its application processes; killed at once, it would leave that to them. */
const KILL_TIMEOUT_MS = 1000;

/** The site of a throng worker, from the primary's side; the other end is worker.ts. */
export class WorkerHandle implements SiteControl {
  /** Resolves when the worker is gone. */
  readonly exited: Promise<string>;
  readonly #worker: Worker;
  readonly #clock: Clock;
  /** Of all workers. */
  readonly #buckets: TokenBuckets;
  readonly #calls = new Map<number, PendingCall>();
  readonly #hello: Promise<void>;
  #lastId = 0;
  readonly #timeouts = new WorkerTimeouts();
  /** Once it has ended. */
  #end: StartError | undefined;

  constructor(
    worker: Worker,
    { welcome, clock, buckets }: { welcome: WelcomeMessage; clock: Clock; buckets: TokenBuckets },
  ) {
    this.#worker = worker;
    this.#clock = clock;
    this.#buckets = buckets;
    this.exited = this.#watchExit();
    this.#hello = this.#awaitHello(welcome);
    this.#hello.catch(() => {}); // each call rejects with it
  }

  get isGone(): boolean {
    return this.#end !== undefined;
  }

  get pid(): number {
    return this.#worker.process.pid ?? 0;
  }

  prepare(release: Release, rule: ProbeRule, processes: number): Promise<void> {
    this.#timeouts.configure(release.settings);
    return this.#call('prepare', [release, rule, processes], this.#timeouts.startMs(processes));
  }

  commit(): Promise<void> {
    return this.#call('commit', [], this.#timeouts.promptMs);
  }

  discard(): Promise<void> {
    return this.#call('discard', [], this.#timeouts.endMs);
  }

  drained(): Promise<void> {
    return this.#call('drained', [], this.#timeouts.drainMs);
  }

  configure(settings: Settings): Promise<void> {
    this.#timeouts.configure(settings);
    return this.#call('configure', [settings], this.#timeouts.promptMs);
  }

  listen(scheme: Scheme, handle: SocketHandle): Promise<void> {
    return this.#call('listen', [scheme, handle], this.#timeouts.promptMs, handle);
  }

  unlisten(scheme: Scheme): Promise<void> {
    return this.#call('unlisten', [scheme], this.#timeouts.promptMs);
  }

  useTls(material: TlsMaterial): Promise<void> {
    return this.#call('useTls', [material], this.#timeouts.promptMs);
  }

  scale(processes: number, totalProcesses: number): Promise<void> {
    const { drainMs } = this.#timeouts;
    return this.#call('scale', [processes, totalProcesses], this.#timeouts.startMs(processes) + drainMs);
  }

  /** Throws StartError soon when it does not answer: whoever asks wants to see the other workers then. */
  status(): Promise<SiteStatus> {
    return new Promise((resolve, reject) => {
      const cancel = this.#clock.after(STATUS_TIMEOUT_MS, () => reject(gone('does not answer')));
      this.#call('status', []).then(resolve, reject).finally(cancel);
    });
  }

  /** Ends the worker too, by force when it takes longer. */
  async stop(drainTimeoutMs: number): Promise<void> {
    if (this.isGone) return;
    const longestMs = drainTimeoutMs + this.#timeouts.killTimeoutMs + LEAVE_TIMEOUT_MS;
    const cancelStop = this.#clock.after(longestMs, () => this.kill());
    await this.#call('stop', [drainTimeoutMs]).catch(() => this.kill()); // it is gone, or broken
    cancelStop();
    this.#send({ kind: 'leave' });
    const cancelLeave = this.#clock.after(LEAVE_TIMEOUT_MS, () => void this.kill());
    await this.exited;
    cancelLeave();
  }

  async kill(): Promise<void> {
    if (this.isGone) return;
    this.#send({ kind: 'kill' });
    const cancel = this.#clock.after(KILL_TIMEOUT_MS, () => this.#worker.process.kill('SIGKILL'));
    await this.exited;
    cancel();
  }

  // Private

  #watchExit(): Promise<string> {
    return new Promise((resolve) => {
      const end = (how: string, signal: NodeJS.Signals | null = null): void => {
        if (this.isGone) return;
        this.#end = gone(how, signal);
        for (const { reject } of this.#calls.values()) reject(this.#end);
        this.#calls.clear();
        resolve(how);
      };
      this.#worker.once('exit', (code, signal) =>
        end(signal ? `was ended by ${signal}` : `exited with code ${code}`, signal as NodeJS.Signals | null),
      );
      this.#worker.on('error', (error) => {
        // Node emits no `exit` where no process could be started; after a channel that breaks it does.
        if (this.#worker.process.pid === undefined) end(`could not be started (${error.message})`);
      });
    });
  }

  #awaitHello(welcome: WelcomeMessage): Promise<void> {
    return new Promise((resolve, reject) => {
      // Its end makes the runner fork another one.
      const cancel = this.#clock.after(HELLO_TIMEOUT_MS, () => this.kill());
      this.#worker.on('message', (message: ToPrimary) => {
        if (message.kind === 'hello') {
          cancel();
          this.#send(welcome);
          resolve();
        } else if (message.kind === 'take') {
          this.#send({ kind: 'taken', id: message.id, waitMs: this.#buckets.take(message.request) });
        } else this.#settle(message);
      });
      void this.exited.then(() => {
        cancel();
        reject(this.#end);
      });
    });
  }

  /** A worker that does not answer in time hangs: its end rejects the call, and its place is filled again. */
  async #call<C extends SiteCall>(
    call: C,
    args: CallArguments<C>,
    timeoutMs?: number,
    handle?: SocketHandle,
  ): Promise<Awaited<ReturnType<SiteControl[C]>>> {
    await this.#hello;
    if (this.#end !== undefined) throw this.#end;
    this.#lastId += 1;
    const id = this.#lastId;
    const cancel = timeoutMs === undefined ? undefined : this.#clock.after(timeoutMs, () => void this.kill());
    const answer = new Promise<Awaited<ReturnType<SiteControl[C]>>>((resolve, reject) => {
      // The worker answers with what Site returned for this very call.
      this.#calls.set(id, {
        resolve: (result) => resolve(result as Awaited<ReturnType<SiteControl[C]>>),
        reject,
      });
      // A handle cannot be part of a message: it travels beside it, and worker.ts puts it back behind the arguments.
      this.#send({ kind: 'call', id, call, args: handle === undefined ? args : args.slice(0, -1) }, handle);
    });
    return answer.finally(cancel);
  }

  #send(message: ToWorker, handle?: SocketHandle): void {
    if (!this.#worker.isConnected()) return; // its exit rejects the calls that wait
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

function gone(how: string, signal: NodeJS.Signals | null = null): StartError {
  return new StartError(endCode(signal, 'worker-exited'), `A worker ${how}.`);
}
