import type { Release } from '../../src/app/pool/release.js';
import type { Scheme } from '../../src/contracts/scheme.js';
import type { Settings } from '../../src/settings/settings.js';
import type { Runner } from '../../src/site/runner.js';
import type { ListeningSocket } from '../../src/sockets/listening-socket.js';
import { withDeadline } from './with-deadline.js';

type Step = keyof Runner;

/** A runner that only notes what is asked of it: `prepare 2`, with the number of the generation or of the processes. */
export class FakeRunner implements Runner {
  readonly calls: string[] = [];
  readonly releases: Release[] = [];
  readonly sockets: ListeningSocket[] = [];
  settings: Settings | undefined;
  readonly #faults = new Map<Step, Error>();
  readonly #holds = new Map<Step, Promise<void>>();
  #wake: () => void = () => {};

  failAt(step: Step, error: Error): void {
    this.#faults.set(step, error);
  }

  heal(): void {
    this.#faults.clear();
  }

  /** The step ends when the answer is called. */
  holdAt(step: Step): () => void {
    let release: () => void = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    this.#holds.set(step, held);
    return () => {
      this.#holds.delete(step);
      release();
    };
  }

  /** Resolves when it was asked for this. */
  async asked(call: string): Promise<void> {
    const found = new Promise<void>((resolve) => {
      this.#wake = () => {
        if (this.calls.includes(call)) resolve();
      };
      this.#wake();
    });
    await withDeadline(found, 10_000, () => `asked ${this.calls.join(', ')}`);
  }

  start(release: Release): Promise<void> {
    this.releases.push(release);
    return this.#take('start', release.generation);
  }

  prepare(release: Release): Promise<void> {
    this.releases.push(release);
    return this.#take('prepare', release.generation);
  }

  commit(): Promise<void> {
    return this.#take('commit');
  }

  discard(): Promise<void> {
    return this.#take('discard');
  }

  drained(): Promise<void> {
    return this.#take('drained');
  }

  configure(settings: Settings): Promise<void> {
    this.settings = settings;
    return this.#take('configure');
  }

  listen(socket: ListeningSocket): Promise<void> {
    this.sockets.push(socket);
    return this.#take('listen');
  }

  unlisten(scheme: Scheme): Promise<void> {
    return this.#take('unlisten', scheme);
  }

  useTls(): Promise<void> {
    return this.#take('useTls');
  }

  scale(processes: number): Promise<void> {
    return this.#take('scale', processes);
  }

  async status() {
    return [];
  }

  async stop(): Promise<void> {
    this.sockets.at(-1)?.close();
    await this.#take('stop');
  }

  kill(): Promise<void> {
    return this.#take('kill');
  }

  async #take(step: Step, number?: number | string): Promise<void> {
    this.calls.push(number === undefined ? step : `${step} ${number}`);
    this.#wake();
    await this.#holds.get(step);
    const fault = this.#faults.get(step);
    if (fault !== undefined) throw fault;
  }
}
