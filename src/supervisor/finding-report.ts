import type { Release } from '../app/pool/release.js';
import { thisMachine } from '../check/machine.js';
import { runQuickChecks } from '../check/run-checks.js';
import type { Log } from '../log/log.js';

/** More of them would hide what else is said at a start. */
const mostLines = 3;

/** Logs what the quick checks find in a release, the worst first. What a former release had too is not said again. */
export class FindingReport {
  readonly #log: Log;
  readonly #told = new Set<string>();

  constructor(log: Log) {
    this.#log = log;
  }

  async tell(release: Release): Promise<void> {
    const found = await runQuickChecks({ ...release, machine: thisMachine() });
    const news = found.filter(({ message }) => !this.#told.has(message));
    for (const { message } of news) this.#told.add(message);
    const shown = news.length > mostLines ? news.slice(0, mostLines - 1) : news;
    for (const { name, severity, message, fix } of shown) {
      this.#log.warn('finding', message, { name, severity, fix });
    }
    const left = news.length - shown.length;
    if (left > 0) {
      const names = news.slice(shown.length).map(({ name }) => name);
      this.#log.warn('findings-left', `${left} more findings`, { names, fix: 'easyserve check' });
    }
  }
}
