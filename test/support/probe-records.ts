import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from './eventually.js';

/** What the views of probes/streams.py leave behind in a copy of the Django site, and the gates that they wait at. */
export class ProbeRecords {
  readonly #folder: string;

  /** `dir` of the copied site; call it before the first request. */
  constructor(dir: string) {
    this.#folder = join(dir, 'probe-records');
    mkdirSync(this.#folder, { recursive: true });
  }

  /** Lets the view go on that waits, or will wait, there. */
  openGate(name: string, gate: number): void {
    writeFileSync(join(this.#folder, `${name}.gate-${gate}`), '');
  }

  /** The last word of a view; '' before it has said any. */
  read(name: string): string {
    try {
      return readFileSync(join(this.#folder, name), 'ascii');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
      throw error;
    }
  }

  /** Resolves when the view has said this. */
  async untilSaid(name: string, expected: string, timeoutMs = 10_000): Promise<void> {
    await eventually(
      () => {
        const said = this.read(name);
        if (said !== expected) throw new Error(`${name} is at ${JSON.stringify(said)}, not ${expected}`);
      },
      { timeoutMs },
    );
  }
}
