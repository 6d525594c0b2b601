import type { Settings } from '../settings/settings.js';

/** For what a worker answers from memory. */
const PROMPT_MS = 10_000;
/** Beside what the settings allow: reading the static files, and a busy machine. */
const SLACK_MS = 15_000;

/**
 * How long a worker may take for an answer, in milliseconds: as long as the settings allow its site, and some more. One that
 * takes longer hangs.
 */
export class WorkerTimeouts {
  readonly promptMs = PROMPT_MS;
  #settings: Settings | undefined;
  /** Also of releases that are being replaced. */
  #longestDrainMs = 0;

  /** The worker's site gets these settings. */
  configure(settings: Settings): void {
    this.#settings = settings;
    this.#longestDrainMs = Math.max(this.#longestDrainMs, settings.drainTimeoutMs);
  }

  get killTimeoutMs(): number {
    return this.#settings?.killTimeoutMs ?? 0;
  }

  /** To start so many processes. */
  startMs(processes: number): number {
    if (this.#settings === undefined) return PROMPT_MS;
    const { startConcurrency, readyTimeoutMs, healthTimeoutMs, healthPath, killTimeoutMs } = this.#settings;
    // Of the new release, and where that fails of the one that serves.
    const healthMs = 2 * [healthPath].flat().length * healthTimeoutMs;
    const rounds = Math.ceil(processes / startConcurrency);
    return rounds * (readyTimeoutMs + healthMs + killTimeoutMs) + SLACK_MS;
  }

  /** To end processes that have requests in flight. */
  get drainMs(): number {
    return this.#longestDrainMs + this.endMs;
  }

  /** To end processes that have none. */
  get endMs(): number {
    return this.killTimeoutMs + SLACK_MS;
  }
}
