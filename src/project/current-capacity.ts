import { readFileSync } from 'node:fs';
import os from 'node:os';
import { type Capacity, readCapacity } from './capacity.js';

/** Of this process, at this moment. */
export function currentCapacity(): Capacity {
  const readFile = (path: string): string | undefined => {
    try {
      return readFileSync(path, 'utf8');
    } catch {
      return undefined; // not this kind of cgroup, or not Linux
    }
  };
  return readCapacity(readFile, {
    platform: process.platform,
    machineCores: os.cpus().length,
    availableParallelism: os.availableParallelism(),
    totalMemoryBytes: os.totalmem(),
  });
}
