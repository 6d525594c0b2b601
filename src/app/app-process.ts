import type { ChildProcess, SpawnOptions } from 'node:child_process';
import { rm } from 'node:fs/promises';
import type { Duplex, Readable } from 'node:stream';
import type { Clock } from '../clock.js';
import { StartError } from '../errors.js';
import { type AppState, appLifecycle, type Lifecycle } from '../lifecycle.js';
import type { Log } from '../log/log.js';
import type { LaunchPlan } from './application-server.js';
import { GatewayControl, type ThreadStacks } from './gateway-control.js';
import { CONTROL_FD } from './gateway-server.js';
import { LastLines, readLines } from './output-lines.js';

export type Spawn = (command: string, args: readonly string[], options: SpawnOptions) => ChildProcess;

export interface AppProcessOptions {
  readonly plan: LaunchPlan;
  readonly socketPath: string;
  readonly readyTimeoutMs: number;
  readonly spawn: Spawn;
  /** process.kill; a negative pid means the group. */
  readonly kill: (pid: number, signal: NodeJS.Signals) => void;
  readonly log: Log;
  readonly clock: Clock;
  /** Somebody sent it SIGTERM, which it leaves to us. */
  readonly onTerminated: () => void;
}

export interface ExitFacts {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Its last lines of output, oldest first. */
  readonly lastLines: string;
}

const LAST_LINES = 40;
/** The application's children may hold its output open after it has ended. */
const OUTPUT_AFTER_EXIT_MS = 500;

/**
 * One application process: started here, in a process group of its own, and ended here, politely then surely.
 *
 * Created by PoolMember. It knows how a process starts and stops; app-pool knows when.
 */
export class AppProcess {
  /** Resolves when the process is gone, whatever the reason; never rejects. */
  readonly exited: Promise<ExitFacts>;
  readonly #options: AppProcessOptions;
  readonly #child: ChildProcess;
  readonly #lifecycle: Lifecycle<AppState>;
  readonly #lastLines = new LastLines(LAST_LINES);
  readonly #ready: Promise<void>;
  readonly #control: GatewayControl;
  #onReady!: () => void;
  #failure: string | undefined;

  constructor(options: AppProcessOptions) {
    this.#options = options;
    const { plan } = options;
    this.#child = options.spawn(plan.command, plan.args, {
      cwd: plan.cwd,
      env: plan.env as NodeJS.ProcessEnv,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    });
    this.#lifecycle = appLifecycle((to, from) => {
      options.log.debug('app-state', `application ${this.pid}: ${from} -> ${to}`, {
        app: this.pid,
        from,
        to,
      });
    });
    this.#control = this.#openControl();
    this.#readOutput();
    this.exited = this.#watchExit();
    this.#ready = this.#watchReady();
    this.#ready.catch(() => {}); // whoever calls ready() hears of it
  }

  /** 0 when it could not be spawned at all. */
  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get state(): AppState {
    return this.#lifecycle.state;
  }

  /** What it wrote last, to explain a failure. */
  get lastLines(): string {
    return this.#lastLines.text;
  }

  /** Resolves when the application is loaded and listens. Throws StartError on exit and on deadline. */
  ready(): Promise<void> {
    return this.#ready;
  }

  /** Says that it gets no new requests any more. */
  drain(): void {
    if (this.#lifecycle.canBecome('draining')) this.#lifecycle.become('draining');
  }

  /** "stop", and SIGTERM for its children; SIGKILL after `killTimeoutMs`. Resolves when the group is gone. */
  async stop(killTimeoutMs: number): Promise<void> {
    if (this.#lifecycle.canBecome('stopping')) {
      this.#lifecycle.become('stopping');
      this.#control.stop();
      this.#signal('SIGTERM');
    }
    const cancel = this.#options.clock.after(killTimeoutMs, () => this.kill());
    await this.exited;
    cancel();
  }

  kill(): void {
    if (this.#lifecycle.canBecome('stopping')) this.#lifecycle.become('stopping');
    if (this.state !== 'exited') this.#signal('SIGKILL');
  }

  /** Undefined when it does not answer in time, or ends. */
  stacks(): Promise<ThreadStacks | undefined> {
    return this.#control.stacks();
  }

  // Private

  #openControl(): GatewayControl {
    const { clock, log, onTerminated } = this.#options;
    return new GatewayControl({
      // Without descriptors left for it (EMFILE) a child has no stdio at all.
      channel: (this.#child.stdio?.[CONTROL_FD] ?? undefined) as Duplex | undefined,
      clock,
      onReady: () => this.#onReady(),
      onFailed: (error) => {
        this.#failure = error;
      },
      onTerminated,
      onGarbage: (line) =>
        log.warn('gateway-garbage', 'the application wrote to the descriptor that joins it to easyserve', {
          app: this.pid,
          line,
        }),
    });
  }

  #signal(signal: NodeJS.Signals): void {
    if (this.pid === 0) return;
    try {
      this.#options.kill(-this.pid, signal);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      // Its group is empty already: it has ended by itself in this moment.
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
      const source: Readable | null | undefined = this.#child[stream];
      if (!source) continue; // it could not be spawned
      const { log } = this.#options;
      const onLine = (line: string): void => {
        this.#lastLines.push(line);
        log.application(line, { pid: this.pid, stream });
      };
      readLines(source, onLine, { pace: log.paceOf(stream) });
    }
  }

  #watchExit(): Promise<ExitFacts> {
    return new Promise((resolve) => {
      const finish = async (code: number | null, signal: NodeJS.Signals | null): Promise<void> => {
        if (this.state === 'exited') return;
        this.#lifecycle.become('exited');
        this.#control.close();
        // What is left of its group: children that did not end with it.
        this.#signal('SIGKILL');
        await this.#removeSocket();
        resolve({ code, signal, lastLines: this.#lastLines.text });
      };
      this.#child.once('error', (error) => {
        this.#lastLines.push(error.message);
        if (this.pid === 0) void finish(null, null);
      });
      this.#child.once('exit', (code, signal) => {
        const cancel = this.#options.clock.after(OUTPUT_AFTER_EXIT_MS, () => void finish(code, signal));
        this.#child.once('close', () => {
          cancel();
          void finish(code, signal);
        });
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
      const cancel = clock.after(readyTimeoutMs, () => void this.#explainHang().then(reject));
      this.#onReady = () => {
        if (!this.#lifecycle.canBecome('ready')) return; // told to stop meanwhile
        cancel();
        this.#lifecycle.become('ready');
        resolve();
      };
      void this.exited.then((exit) => {
        cancel();
        reject(this.#explainExit(exit));
      });
    });
  }

  #explainExit(exit: ExitFacts): StartError {
    if (this.pid === 0) {
      const message = `The application could not be started: ${exit.lastLines}.`;
      return new StartError('app-not-spawned', message, { detail: this.#options.plan.command });
    }
    const how = exit.signal === null ? `exited with code ${exit.code}` : `was ended by ${exit.signal}`;
    const reason = this.#failure?.trimEnd().split('\n').at(-1);
    const message =
      reason === undefined
        ? `The application ${how} before it was ready.`
        : `The application could not be loaded: ${reason}`;
    return new StartError('app-exited', message, { detail: this.#failure ?? exit.lastLines });
  }

  async #explainHang(): Promise<StartError> {
    const stack = (await this.stacks())?.main;
    const seconds = this.#options.readyTimeoutMs / 1000;
    return new StartError('app-not-ready', `The application was not ready after ${seconds} s.`, {
      detail: stack === undefined ? this.#lastLines.text : `It is still here:\n${stack}`,
      hint: 'If it needs longer to load, raise readyTimeoutMs.',
    });
  }
}
