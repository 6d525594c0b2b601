import type { Clock } from '../../contracts/clock.js';

/** The settings of these names; 0 is no limit. */
export interface RecycleLimits {
  readonly recycleRequests: number;
  readonly recycleMemoryBytes: number;
  readonly recycleLifetimeMs: number;
}

/** What it looks at; a PoolMember. */
export interface Recyclable {
  /** Requests answered. */
  readonly finished: number;
  /** Monotonic milliseconds. */
  readonly startedAtMs: number;
  readonly process: { memoryBytes(): Promise<number | undefined> };
}

/** Up to so much is added to a limit by chance, so that processes that started together are not recycled together. */
const JITTER = 0.1;

/** Says which process is due to be replaced, and why. */
export class RecyclePolicy {
  readonly #clock: Clock;
  readonly #random: () => number;
  /** Drawn once for each process. */
  readonly #jitters = new WeakMap<Recyclable, number>();
  /** Those whose memory is being read. */
  readonly #measured = new WeakSet<Recyclable>();

  constructor(clock: Clock, random: () => number = Math.random) {
    this.#clock = clock;
    this.#random = random;
  }

  /** Why the process is due; undefined when it is not, or while an earlier check still reads its memory. Never rejects. */
  async check(member: Recyclable, limits: RecycleLimits): Promise<string | undefined> {
    const { recycleRequests, recycleMemoryBytes, recycleLifetimeMs } = limits;
    const jitter = this.#jitterOf(member);
    if (recycleRequests > 0 && member.finished >= recycleRequests * (1 + jitter)) {
      return `it has answered ${member.finished} requests (recycleRequests)`;
    }
    const ageMs = this.#clock.now() - member.startedAtMs;
    if (recycleLifetimeMs > 0 && ageMs >= recycleLifetimeMs * (1 + jitter)) {
      return `it is ${Math.round(ageMs / 1000)} s old (recycleLifetimeMs)`;
    }
    if (recycleMemoryBytes === 0 || this.#measured.has(member)) return undefined;
    this.#measured.add(member);
    const rssBytes = (await member.process.memoryBytes()) ?? 0;
    this.#measured.delete(member);
    if (rssBytes <= recycleMemoryBytes) return undefined;
    return `it uses ${Math.round(rssBytes / 1e6)} MB of memory (recycleMemoryBytes)`;
  }

  // Private

  #jitterOf(member: Recyclable): number {
    const known = this.#jitters.get(member);
    if (known !== undefined) return known;
    const jitter = this.#random() * JITTER;
    this.#jitters.set(member, jitter);
    return jitter;
  }
}
