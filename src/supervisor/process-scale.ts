import type { Release } from '../app/pool/release.js';

/** The number of processes that `easyserve scale` asked for: it holds over reloads, until the setting `processes` changes. */
export class ProcessScale {
  #processes: number | undefined;

  set(processes: number): void {
    this.#processes = processes;
  }

  /** From here on the settings decide again. */
  clear(): void {
    this.#processes = undefined;
  }

  /** The release with that number, unless its settings ask for another one than those of `before`. */
  applyTo(release: Release, before: Release): Release {
    const processes = this.#processes;
    const isFolder = release.project.server === 'none';
    if (processes === undefined || isFolder || !isSame(release, before)) return release;
    return { ...release, plan: { ...release.plan, processes, reason: `scaled to ${describe(processes)}` } };
  }

  /** `release` serves now, in place of `before`. */
  follow(release: Release, before: Release): void {
    if (!isSame(release, before)) this.clear();
  }
}

/** `1 process`, `2 processes`. */
export function describe(processes: number, kind = ''): string {
  return `${processes} ${kind}${processes === 1 ? 'process' : 'processes'}`;
}

// Private

function isSame(one: Release, other: Release): boolean {
  return one.settings.processes === other.settings.processes;
}
