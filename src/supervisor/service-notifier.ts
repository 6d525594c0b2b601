import { type ChildProcess, spawn } from 'node:child_process';
import type { Clock } from '../contracts/clock.js';
import type { InstanceState } from '../contracts/lifecycle.js';
import type { Log } from '../log/log.js';

/** Of systemd-notify. Far shorter than a service manager waits. */
const TIMEOUT_MS = 5000;

export interface ServiceNotifierOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly pid: number;
  readonly clock: Clock;
  readonly log: Log;
  readonly spawn?: typeof spawn;
}

/**
 * Tells the service manager the state of the instance (sd_notify(3)): ready, reloading, stopping, and that this process is
 * alive. Without NOTIFY_SOCKET it does nothing.
 *
 * The socket takes Unix datagrams, which Node cannot send (net has streams, dgram UDP), so systemd's own systemd-notify is run
 * for each message; it is installed wherever systemd is. It waits until the message was read, because systemd looks up which
 * process sent it; and because that is not the main process, the unit needs NotifyAccess=all (`easyserve install` writes it).
 */
export class ServiceNotifier {
  readonly #options: ServiceNotifierOptions;
  readonly #socket: string | undefined;
  #stopWatchdog: () => void = () => {};
  /** One message after the other: a READY=1 that overtakes RELOADING=1 would leave the unit reloading. */
  #sent: Promise<void> = Promise.resolve();
  #hasFailed = false;
  #isBeating = false;

  constructor(options: ServiceNotifierOptions) {
    this.#options = options;
    this.#socket = options.env.NOTIFY_SOCKET || undefined;
    const periodMs = watchdogPeriodMs(options);
    if (this.#socket !== undefined && periodMs !== undefined) {
      this.#stopWatchdog = options.clock.every(periodMs, () => this.#beat());
    }
  }

  /** At every change of the instance's state. */
  tell(state: InstanceState): void {
    if (state === 'running') this.#send(['READY=1', `MAINPID=${this.#options.pid}`, 'STATUS=serving']);
    if (state === 'stopping') this.#send(['STOPPING=1', 'STATUS=finishing the requests in flight']);
    if (state === 'reloading' || state === 'restarting') {
      this.#send(['RELOADING=1', `MONOTONIC_USEC=${monotonicUs()}`, `STATUS=${state}`]);
    }
  }

  /** Resolves when everything that was told has arrived, or could not. */
  async close(): Promise<void> {
    this.#stopWatchdog();
    await this.#sent;
  }

  // Private

  /** Skipped while the last one is under way, so that nothing piles up when the service manager does not read. */
  #beat(): void {
    if (this.#isBeating) return;
    this.#isBeating = true;
    this.#send(['WATCHDOG=1']);
    void this.#sent.then(() => {
      this.#isBeating = false;
    });
  }

  #send(message: readonly string[]): void {
    const socket = this.#socket;
    if (socket === undefined) return;
    this.#sent = this.#sent
      .then(() => this.#run(socket, message))
      .catch((error: unknown) => {
        if (this.#hasFailed) return;
        this.#hasFailed = true;
        this.#options.log.warn('notify-failed', 'the service manager could not be told how it goes', {
          error: error instanceof Error ? error.message : String(error),
          hint: 'systemd-notify has to be on PATH; without it, use Type=exec in the unit',
        });
      });
  }

  #run(socket: string, message: readonly string[]): Promise<void> {
    const run = this.#options.spawn ?? spawn;
    const child = run('systemd-notify', message, {
      env: { PATH: this.#options.env.PATH, NOTIFY_SOCKET: socket },
      stdio: ['ignore', 'ignore', 'pipe'],
      timeout: TIMEOUT_MS,
      killSignal: 'SIGKILL',
    });
    return awaitSuccess(child);
  }
}

// Private

/** Half of the watchdog's time (sd_watchdog_enabled(3)); undefined where it watches nobody, or another process. */
function watchdogPeriodMs({ env, pid }: ServiceNotifierOptions): number | undefined {
  const us = Number(env.WATCHDOG_USEC);
  if (!Number.isInteger(us) || us <= 0) return undefined;
  const isMeant = env.WATCHDOG_PID === undefined || env.WATCHDOG_PID === String(pid);
  return isMeant ? Math.max(1, Math.floor(us / 2000)) : undefined;
}

/** CLOCK_MONOTONIC, which hrtime reads on Linux, in microseconds. */
function monotonicUs(): bigint {
  return process.hrtime.bigint() / 1000n;
}

function awaitSuccess(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let said = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-1000);
    });
    child.once('error', reject);
    child.once('close', (code, signal) => {
      if (code === 0) resolve();
      else reject(new Error(`systemd-notify: ${said.trim() || (signal ?? `exit code ${code}`)}`));
    });
  });
}
