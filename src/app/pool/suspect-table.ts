import type { Clock } from '../../contracts/clock.js';
import type { SuspectStatus } from '../../contracts/status.js';
import type { Log } from '../../log/log.js';

/** What is known of a request before the application has looked at it: its query may differ from crash to crash. */
export interface RequestAddress {
  readonly method: string;
  readonly path: string;
}

/**
 *   usual    not a suspect
 *   apart    runs where no other request is in danger (Quarantine)
 *   refused  is answered with a 502, and not run
 */
export type Treatment = 'usual' | 'apart' | 'refused';

interface Suspect extends RequestAddress {
  /** Ends of processes in which it was alone, monotonic milliseconds. */
  deaths: number[];
  /** Of these the ones on the standby process, where nothing else had run beside it, since it was last cleared. */
  deathsApart: number;
  /** ISO 8601. */
  lastAt: string;
  seenAtMs: number;
  /** Since its last death. */
  answers: number;
  isCleared: boolean;
}

const MEMORY_MS = 10 * 60_000;
const MAX_SUSPECTS = 1000;
/** A path may have as many characters as the longest request line; so many of it are kept. */
const MAX_PATH_CHARACTERS = 500;
/**
 * From this death on the standby process on an address is refused for a while: each try costs the start of a process. A death
 * among the others proves less, because a page may end its process a moment after its answer.
 */
const REFUSED_FROM_DEATH = 2;
const FIRST_REFUSAL_MS = 10_000;
const LONGEST_REFUSAL_MS = 60_000;

/**
 * The addresses whose requests were in flight when a process ended by itself.
 *
 * Most of them are innocent, and clear themselves by an answer. One that has ended a process where it ran apart needs ten
 * answers, after the second time a hundred. All is forgotten after ten minutes.
 */
export class SuspectTable {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #suspects = new Map<string, Suspect>();

  constructor(clock: Clock, log: Log) {
    this.#clock = clock;
    this.#log = log;
  }

  treatmentOf(address: RequestAddress): Treatment {
    if (this.#suspects.size === 0) return 'usual';
    const suspect = this.#find(address);
    if (suspect === undefined || suspect.isCleared) return 'usual';
    const refusedMs = refusalMs(suspect.deathsApart);
    return this.#clock.now() < (suspect.deaths.at(-1) ?? 0) + refusedMs ? 'refused' : 'apart';
  }

  /** A process has ended, and one of these addresses may have ended it. */
  recordSuspicion(addresses: readonly RequestAddress[]): void {
    for (const address of addresses) this.#suspect(address);
  }

  /** A process has ended, and had this address alone in flight. Other suspects are cleared by that. */
  recordDeath(address: RequestAddress, { isApart }: { readonly isApart: boolean }): void {
    const suspect = this.#suspect(address);
    suspect.deaths.push(this.#clock.now());
    if (isApart) suspect.deathsApart += 1;
    for (const [key, { deaths }] of this.#suspects) if (deaths.length === 0) this.#suspects.delete(key);
    const { method, path, deaths } = suspect;
    const processes = deaths.length;
    const counted = processes === 1 ? 'a process' : `${processes} processes in 10 minutes`;
    this.#log.error('request-suspect', `${method} ${path} has ended ${counted}`, {
      ...{ method, path, processes },
      refusedMs: refusalMs(suspect.deathsApart),
    });
  }

  /** True when the address is no suspect any more. */
  recordAnswer(address: RequestAddress): boolean {
    const suspect = this.#find(address);
    if (suspect === undefined) return true;
    suspect.answers += 1;
    suspect.isCleared = suspect.answers >= 10 ** suspect.deathsApart;
    if (suspect.isCleared) suspect.deathsApart = 0;
    if (suspect.deaths.length === 0) this.#suspects.delete(keyOf(address));
    return suspect.isCleared;
  }

  clear(): void {
    this.#suspects.clear();
  }

  /** Those that have ended a process, the worst first. */
  list(): SuspectStatus[] {
    return [...this.#suspects.values()]
      .filter((suspect) => this.#find(suspect) !== undefined && suspect.deaths.length > 0)
      .map((suspect) => ({
        ...{ method: suspect.method, path: suspect.path, lastAt: suspect.lastAt },
        processes: suspect.deaths.length,
        treatment: this.treatmentOf(suspect),
      }))
      .sort((a, b) => b.processes - a.processes);
  }

  // Private

  #find(address: RequestAddress): Suspect | undefined {
    const key = keyOf(address);
    const suspect = this.#suspects.get(key);
    const oldestMs = this.#clock.now() - MEMORY_MS;
    if (suspect !== undefined && suspect.seenAtMs <= oldestMs) {
      this.#suspects.delete(key);
      return undefined;
    }
    if (suspect !== undefined) suspect.deaths = suspect.deaths.filter((atMs) => atMs > oldestMs);
    return suspect;
  }

  #suspect(address: RequestAddress): Suspect {
    const known = this.#find(address);
    const key = keyOf(address);
    const suspect: Suspect = {
      method: address.method,
      path: address.path.slice(0, MAX_PATH_CHARACTERS),
      deaths: known?.deaths ?? [],
      deathsApart: known?.deathsApart ?? 0,
      lastAt: new Date().toISOString(),
      seenAtMs: this.#clock.now(),
      answers: 0,
      isCleared: false,
    };
    // Set anew, so that the first one is always that which was seen longest ago.
    this.#suspects.delete(key);
    this.#suspects.set(key, suspect);
    if (this.#suspects.size > MAX_SUSPECTS) {
      const [oldest = ''] = this.#suspects.keys();
      this.#suspects.delete(oldest);
    }
    return suspect;
  }
}

// Private

function keyOf({ method, path }: RequestAddress): string {
  return `${method} ${path.slice(0, MAX_PATH_CHARACTERS)}`;
}

/** How long an address is refused after so many deaths. */
function refusalMs(deaths: number): number {
  if (deaths < REFUSED_FROM_DEATH) return 0;
  return Math.min(LONGEST_REFUSAL_MS, FIRST_REFUSAL_MS * 2 ** (deaths - REFUSED_FROM_DEATH));
}
