import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from './eventually.js';

/** Where each version of control groups has its files (kernel documentation, admin-guide/cgroup-v1/memory and cgroup-v2). */
const versions = [
  {
    root: '/sys/fs/cgroup/memory',
    used: 'memory.usage_in_bytes',
    limit: 'memory.limit_in_bytes',
    swap: ['memory.swappiness', '0'],
  },
  { root: '/sys/fs/cgroup', used: 'memory.current', limit: 'memory.max', swap: ['memory.swap.max', '0'] },
] as const;

/** A control group of the test's own, for what a limit of memory does. It needs root, and a machine that lets it make groups. */
export class MemoryGroup {
  readonly #folder: string;
  readonly #version: (typeof versions)[number];

  private constructor(folder: string, version: (typeof versions)[number]) {
    this.#folder = folder;
    this.#version = version;
  }

  /** Undefined where the machine allows none. */
  static create(): MemoryGroup | undefined {
    for (const version of versions) {
      const folder = join(version.root, `easyserve-test-${process.pid}`);
      try {
        mkdirSync(folder);
      } catch {
        continue;
      }
      const group = new MemoryGroup(folder, version);
      if (existsSync(join(folder, version.limit))) return group;
      rmdirSync(folder);
    }
    return undefined;
  }

  /** A program that joins the group and becomes the one that is named behind it. */
  get program(): readonly string[] {
    return ['sh', '-ec', `echo $$ >'${join(this.#folder, 'cgroup.procs')}'\nexec "$@"`, 'sh'];
  }

  /** From here on the group has so much more than it uses now, and no swap. */
  allowMore(bytes: number): void {
    const { used, limit, swap } = this.#version;
    const [file, value] = swap;
    if (existsSync(join(this.#folder, file))) writeFileSync(join(this.#folder, file), value);
    const usedBytes = Number(readFileSync(join(this.#folder, used), 'ascii'));
    writeFileSync(join(this.#folder, limit), String(usedBytes + bytes));
  }

  /** When its processes have ended. */
  async remove(): Promise<void> {
    await eventually(() => rmdirSync(this.#folder));
  }
}
