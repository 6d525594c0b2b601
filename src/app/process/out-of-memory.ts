import { readFile } from 'node:fs/promises';
import type { Clock } from '../../contracts/clock.js';

/** Reads a file as text. Rejects when it can't be read. */
export type ReadText = (path: string) => Promise<string>;

/** A process that the kernel has killed is seen to have ended within this time, also while memory is scarce. */
const NOTICE_MS = 5000;

/**
 * Whether the kernel has just killed for want of memory: it counts that, and nothing else in the system tells an ordinary user.
 *
 * The counter of our own control group is the closest one (`oom_kill` in memory.events of cgroup v2, and in memory.oom_control of
 * v1: kernel documentation, admin-guide/cgroup-v2 and cgroup-v1/memory). That of the whole machine (proc(5), vmstat) is read where
 * there is none.
 */
export class OutOfMemoryKills {
  readonly #clock: Clock;
  readonly #read: ReadText;
  readonly #path: Promise<string>;
  readonly #first: Promise<void>;
  #count: number | undefined;
  #roseAtMs = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock, read: ReadText = (path) => readFile(path, 'ascii')) {
    this.#clock = clock;
    this.#read = read;
    this.#path = this.#findCounter();
    // What was counted before is none of ours: a process may be killed in the first second.
    this.#first = this.observe();
  }

  /** To be called often, so that a kill of long ago is not taken for a new one. Never rejects. */
  async observe(): Promise<void> {
    const count = await this.#readCount(await this.#path);
    if (count === undefined) return;
    if (this.#count !== undefined && count > this.#count) this.#roseAtMs = this.#clock.now();
    this.#count = count;
  }

  /** Never rejects. */
  async hasJustKilled(): Promise<boolean> {
    await this.#first;
    await this.observe();
    return this.#clock.now() - this.#roseAtMs < NOTICE_MS;
  }

  // Private

  async #findCounter(): Promise<string> {
    for (const path of countersOf(await this.#read('/proc/self/cgroup').catch(() => ''))) {
      if ((await this.#readCount(path)) !== undefined) return path;
    }
    return '/proc/vmstat';
  }

  async #readCount(path: string): Promise<number | undefined> {
    const text = await this.#read(path).catch(() => '');
    const [, count] = /^oom_kill (\d+)/m.exec(text) ?? [];
    return count === undefined ? undefined : Number(count);
  }
}

// Private

/** `0::/path` is the group of cgroup v2, `4:memory:/path` that of v1. In a container both may lie at the root of what is mounted. */
function countersOf(groups: string): string[] {
  const [, unified] = /^0::(\/.*)$/m.exec(groups) ?? [];
  const [, memory] = /^\d+:memory:(\/.*)$/m.exec(groups) ?? [];
  const below = (group: string): string => (group === '/' ? '' : group);
  const v1 = memory === undefined ? [] : [`${below(memory)}/memory.oom_control`, '/memory.oom_control'];
  const v2 = unified === undefined ? [] : [`${below(unified)}/memory.events`, '/memory.events'];
  return [...v2.map((path) => `/sys/fs/cgroup${path}`), ...v1.map((path) => `/sys/fs/cgroup/memory${path}`)];
}
