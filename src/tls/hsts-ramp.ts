import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { readTextFile } from '../contracts/read-file.js';
import { writeAtomically } from '../control/write-atomically.js';
import type { Log } from '../log/log.js';
import type { Settings } from '../settings/settings.js';

const hourSeconds = 3600;
const yearSeconds = 365 * 24 * hourSeconds;
const trialMs = 30 * 24 * hourSeconds * 1000;

/**
 * How long browsers are told to insist on HTTPS. With "ramp" an hour at first, because a site whose certificates fail can't be
 * reached for as long as it has promised; a year after 30 days without a failure.
 *
 * Since when all is well stands in a file, so that a restart does not begin anew.
 */
export class HstsRamp {
  readonly #file: string;
  readonly #log: Log;
  #sinceMs: number | undefined;

  constructor(file: string, log: Log) {
    this.#file = file;
    this.#log = log;
  }

  /** A file that is missing or damaged means that nothing is known yet. */
  async load(): Promise<void> {
    try {
      const { since } = JSON.parse(await readTextFile(this.#file)) as { since?: unknown };
      const sinceMs = Date.parse(String(since));
      this.#sinceMs = Number.isFinite(sinceMs) ? sinceMs : undefined;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') {
        this.#log.warn(
          'hsts-unread',
          'since when HTTPS works without a failure could not be read: it counts from now',
          {
            path: this.#file,
            error: String(error),
          },
        );
      }
    }
  }

  /** Undefined: the header is not sent. */
  maxAgeSeconds(mode: Settings['hsts'], nowMs: number): number | undefined {
    if (mode === 'off') return undefined;
    if (mode === 'on') return yearSeconds;
    return this.#sinceMs !== undefined && nowMs - this.#sinceMs >= trialMs ? yearSeconds : hourSeconds;
  }

  /** Called whenever the certificates were looked at. */
  async note(isWell: boolean, nowMs: number): Promise<void> {
    if (isWell && this.#sinceMs !== undefined && this.#sinceMs <= nowMs) return;
    if (!isWell && this.#sinceMs === undefined) return;
    this.#sinceMs = isWell ? nowMs : undefined;
    const since = isWell ? new Date(nowMs).toISOString() : null;
    try {
      await mkdir(dirname(this.#file), { recursive: true, mode: 0o700 });
      await writeAtomically(this.#file, `${JSON.stringify({ since })}\n`);
    } catch (error) {
      this.#log.warn('hsts-unwritten', 'since when HTTPS works without a failure could not be written down', {
        path: this.#file,
        error: String(error),
      });
    }
  }
}
