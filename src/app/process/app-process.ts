import { rm } from 'node:fs/promises';
import type { Clock } from '../../contracts/clock.js';
import { StartError } from '../../contracts/errors.js';
import { type AppState, appLifecycle, type Lifecycle } from '../../contracts/lifecycle.js';
import type { UpstreamAddress } from '../../contracts/upstream.js';
import type { Log } from '../../log/log.js';
import { readLines } from '../../log/read-lines.js';
import type { LaunchPlan } from '../servers/application-server.js';
import { AppControl, type LoadFailure, type ThreadStacks } from './app-control.js';
import { type ExitFacts, explainExit } from './explain-exit.js';
import { type Kill, ProcessGroup, type Spawn } from './process-group.js';
import { readRssBytes } from './process-memory.js';
import { type Connect, ReadinessPoll } from './readiness-poll.js';

export interface AppProcessOptions {
  readonly plan: LaunchPlan;
  readonly socketPath: string;
  readonly readyTimeoutMs: number;
  readonly spawn: Spawn;
  readonly kill: Kill;
  /** Opens a connection, to find out whether the process listens. */
  readonly connect: Connect;
  readonly log: Log;
  readonly clock: Clock;
  /** Somebody else sent it SIGTERM: it goes on serving, and asks for a successor to be started first. */
  readonly onTerminated: () => void;
}

const LAST_LINES = 40;
/** The application's children may hold its output open after it has ended. */
const OUTPUT_AFTER_EXIT_MS = 500;

/**
 * One application process, from its start to its end: first it is asked to end, and killed if it does not.
 *
 * It knows how an application starts and stops; Generation and AppPool know when.
 */
export class AppProcess {
  /** Resolves as soon as the process has ended, whatever the reason, and its children if it was told to; never rejects. */
  readonly ended: Promise<void>;
  /** Resolves when its last output has been read, too; never rejects. */
  readonly exited: Promise<ExitFacts>;
  readonly #options: AppProcessOptions;
  readonly #group: ProcessGroup;
  readonly #lifecycle: Lifecycle<AppState>;
  readonly #lastLines: string[] = [];
  readonly #ready: Promise<void>;
  readonly #control: AppControl;
  #address: UpstreamAddress;
  #poll: ReadinessPoll | undefined;
  #onReady!: (address: UpstreamAddress) => void;
  #failure: LoadFailure | undefined;
  #isRunning = true;

  constructor(options: AppProcessOptions) {
    this.#options = options;
    const { plan, spawn, kill, connect, clock } = options;
    [this.#address] = plan.addresses;
    this.#group = new ProcessGroup(plan, spawn, kill);
    this.#lifecycle = appLifecycle((to, from) => {
      options.log.debug('app-state', `application ${this.pid}: ${from} -> ${to}`, {
        app: this.pid,
        from,
        to,
      });
    });
    this.#control = this.#openControl();
    if (this.#address.secret !== undefined) this.#control.tellSecret(this.#address.secret);
    this.#readOutput();
    this.ended = this.#group.ended.then(() => {});
    this.exited = this.#watchExit();
    this.#ready = this.#watchReady();
    this.#ready.catch(() => {}); // whoever calls ready() hears of it
    if (plan.readiness === 'accepts') {
      this.#poll = new ReadinessPoll(plan.addresses, connect, clock, (address) => this.#onReady(address));
    }
  }

  /** 0 when it could not be started. */
  get pid(): number {
    return this.#group.pid;
  }

  /** False as soon as it has ended; `exited` resolves later. */
  get isRunning(): boolean {
    return this.#isRunning;
  }

  get state(): AppState {
    return this.#lifecycle.state;
  }

  /** Where it listens, once it is ready. */
  get address(): UpstreamAddress {
    return this.#address;
  }

  /** What it wrote last, to explain a failure. */
  get lastLines(): string {
    return this.#lastLines.join('\n');
  }

  /** Resolves when the application is loaded and listens. Throws StartError on exit and on deadline. */
  ready(): Promise<void> {
    return this.#ready;
  }

  /** It gets no new requests from here on. */
  drain(): void {
    if (this.#lifecycle.canBecome('draining')) this.#lifecycle.become('draining');
  }

  /** Tells it to stop, with SIGTERM for its children; SIGKILL after `killTimeoutMs`. Resolves when the group is gone. */
  async stop(killTimeoutMs: number): Promise<void> {
    if (this.#lifecycle.canBecome('stopping')) {
      this.#lifecycle.become('stopping');
      this.#control.stop();
      this.#signal('SIGTERM');
    }
    const cancel = this.#options.clock.after(killTimeoutMs, () => {
      // Where it has ended, only its output goes on.
      if (this.#isRunning) this.#tellKill(killTimeoutMs);
      void this.kill();
    });
    await this.exited;
    cancel();
  }

  /** SIGKILL to it and its children; resolves when it is gone. */
  kill(): Promise<ExitFacts> {
    if (this.#lifecycle.canBecome('stopping')) this.#lifecycle.become('stopping');
    if (this.state !== 'exited') this.#signal('SIGKILL');
    return this.exited;
  }

  /** Its resident size; undefined where the system does not tell, or it is gone. */
  memoryBytes(): Promise<number | undefined> {
    return readRssBytes(this.pid);
  }

  /** Undefined when it does not answer in time, or ends. */
  stacks(): Promise<ThreadStacks | undefined> {
    return this.#control.stacks();
  }

  // Private

  #openControl(): AppControl {
    const { clock, log, onTerminated } = this.#options;
    return new AppControl({
      channel: this.#group.control,
      clock,
      onReady: (port) => {
        const place = port === undefined ? this.#address.place : { host: '127.0.0.1', port };
        this.#onReady({ ...this.#address, place });
      },
      onFailed: (failure) => {
        this.#failure = failure;
      },
      onTerminated,
      onGarbage: (line) =>
        log.warn('control-garbage', 'the application wrote to the descriptor that joins it to easyserve', {
          app: this.pid,
          line,
        }),
    });
  }

  #tellKill(killTimeoutMs: number): void {
    const { pid } = this;
    const message = `application ${pid} did not end within ${killTimeoutMs / 1000} s of SIGTERM, and is killed`;
    this.#options.log.warn('app-killed', message, { app: pid });
  }

  #signal(signal: 'SIGTERM' | 'SIGKILL'): void {
    try {
      this.#group.signal(signal);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      // ESRCH: its group is empty already, because it has just ended by itself.
      if (code === 'ESRCH') return;
      // EPERM: all that is left of the group has changed its user, so it is not ours to end.
      this.#options.log.warn('app-not-signalled', `application ${this.pid} could not be sent ${signal}`, {
        app: this.pid,
        signal,
        error: String(error),
      });
    }
  }

  #readOutput(): void {
    for (const stream of ['stdout', 'stderr'] as const) {
      const source = this.#group[stream];
      if (source === undefined) continue; // not spawned
      const { log } = this.#options;
      const onLine = (line: string): void => {
        this.#lastLines.push(line);
        if (this.#lastLines.length > LAST_LINES) this.#lastLines.shift();
        log.application(line, { pid: this.pid, stream });
      };
      readLines(source, onLine, { backpressure: log.backpressureOf(stream) });
    }
  }

  async #watchExit(): Promise<ExitFacts> {
    const { code, signal, error } = await this.#group.ended;
    this.#isRunning = false;
    // Whatever listens on its port from now on is another program.
    this.#poll?.stop();
    if (error === undefined) await this.#outputEnded();
    else this.#lastLines.push(error.message);
    this.#lifecycle.become('exited');
    this.#control.close();
    // Ends what is left of its group: children that did not end with it.
    this.#signal('SIGKILL');
    await this.#removeSocket();
    return { code, signal, lastLines: this.lastLines };
  }

  async #outputEnded(): Promise<void> {
    await new Promise<void>((resolve) => {
      const cancel = this.#options.clock.after(OUTPUT_AFTER_EXIT_MS, resolve);
      void this.#group.outputEnded.then(() => {
        cancel();
        resolve();
      });
    });
  }

  async #removeSocket(): Promise<void> {
    const { socketPath, log } = this.#options;
    try {
      await rm(socketPath, { force: true });
    } catch (error) {
      log.warn('socket-not-removed', 'the socket of an application could not be removed', {
        path: socketPath,
        error: String(error),
      });
    }
  }

  #watchReady(): Promise<void> {
    return new Promise((resolve, reject) => {
      const { clock, readyTimeoutMs } = this.#options;
      const settle = (): void => {
        cancel();
        this.#poll?.stop();
      };
      const cancel = clock.after(readyTimeoutMs, () => {
        settle();
        void this.#explainHang().then(reject);
      });
      this.#onReady = (address) => {
        if (!this.#lifecycle.canBecome('ready')) return; // told to stop meanwhile
        settle();
        this.#address = address;
        this.#lifecycle.become('ready');
        resolve();
      };
      void this.exited.then((exit) => {
        settle();
        reject(explainExit(this.pid, this.#options.plan, exit, this.#failure));
      });
    });
  }

  async #explainHang(): Promise<StartError> {
    const { readiness, hints } = this.#options.plan;
    const stack = readiness === 'control' ? (await this.stacks())?.main : undefined;
    const seconds = this.#options.readyTimeoutMs / 1000;
    return new StartError('app-not-ready', `The application was not ready after ${seconds} s.`, {
      detail: stack === undefined ? this.lastLines : `It is still here:\n${stack}`,
      hint: hints?.neverReady ?? 'If it needs longer to load, raise readyTimeoutMs.',
    });
  }
}
