import type { Clock } from '../../contracts/clock.js';

export interface RecycleLimits {
  readonly recycleRequests: number;
  readonly recycleMemoryBytes: number;
  readonly recycleLifetimeMs: number;
}

/** What it looks at; a PoolMember. */
export interface Recyclable {
  readonly finished: number;
  readonly startedAtMs: number;
  readonly process: { memoryBytes(): Promise<number | undefined> };
}

const MEMORY_CHECK_MS = 5000;
const JITTER = 0.1;

interface Watched {
  /** 0 to 10 %: processes that started together are not recycled together. */
  readonly jitter: number;
  checkedAtMs: number;
  rssBytes: number;
}

/** Says which process is due to be replaced, and why. Asked by AppPool about once a second for each. */
export class RecyclePolicy {
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #watched = new WeakMap<object, Watched>();

  constructor(clock: Clock, random: () => number = Math.random) {
    this.#clock = clock;
    this.#random = random;
  }

  reasonFor(member: Recyclable, limits: RecycleLimits): string | undefined {
    const watched = this.#watch(member);
    const { recycleRequests, recycleMemoryBytes, recycleLifetimeMs } = limits;
    if (recycleRequests > 0 && member.finished >= recycleRequests * (1 + watched.jitter)) {
      return `it has answered ${member.finished} requests (recycleRequests)`;
    }
    const ageMs = this.#clock.now() - member.startedAtMs;
    if (recycleLifetimeMs > 0 && ageMs >= recycleLifetimeMs * (1 + watched.jitter)) {
      return `it is ${Math.round(ageMs / 1000)} s old (recycleLifetimeMs)`;
    }
    if (recycleMemoryBytes > 0) this.#readMemory(member, watched);
    if (recycleMemoryBytes > 0 && watched.rssBytes > recycleMemoryBytes) {
      return `it uses ${Math.round(watched.rssBytes / 1e6)} MB of memory (recycleMemoryBytes)`;
    }
    return undefined;
  }

  // Private

  #watch(member: object): Watched {
    const known = this.#watched.get(member);
    if (known !== undefined) return known;
    const watched = { jitter: this.#random() * JITTER, checkedAtMs: Number.NEGATIVE_INFINITY, rssBytes: 0 };
    this.#watched.set(member, watched);
    return watched;
  }

  /** Reads ahead for the next question; the answer of this one is from the last reading. */
  #readMemory(member: Recyclable, watched: Watched): void {
    const now = this.#clock.now();
    if (now - watched.checkedAtMs < MEMORY_CHECK_MS) return;
    watched.checkedAtMs = now;
    void member.process.memoryBytes().then((bytes) => {
      watched.rssBytes = bytes ?? 0;
    });
  }
}
