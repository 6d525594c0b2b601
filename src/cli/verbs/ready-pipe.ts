import { closeSync, writeSync } from 'node:fs';
import type { ErrorRecord } from '../../contracts/errors.js';

/** The one line that a daemon sends to the `start --daemon` that made it. */
export type DaemonNews =
  | { readonly ready: { readonly urls: readonly string[]; readonly pid: number } }
  | { readonly error: ErrorRecord };

/** The daemon's end of the pipe. Only the first news is sent. */
export class ReadyPipe {
  #fd: number | undefined;

  constructor(fd: number) {
    this.#fd = fd;
  }

  tell(news: DaemonNews): void {
    if (this.#fd === undefined) return;
    const fd = this.#fd;
    this.#fd = undefined;
    try {
      writeSync(fd, `${JSON.stringify(news)}\n`);
    } catch (error) {
      // Nobody waits any more; that is no reason not to serve.
      if ((error as NodeJS.ErrnoException).code !== 'EPIPE') throw error;
    } finally {
      closeSync(fd);
    }
  }
}
