import { readFileSync } from 'node:fs';

/** Where the system does not tell. */
const USUAL = 1024;
/** Kept free at least, and at most: for application processes, files and logs. */
const LEAST_SPARE = 32;
const MOST_SPARE = 512;

/** How many files and sockets this process may have open (RLIMIT_NOFILE, getrlimit(2)). */
export interface DescriptorLimit {
  readonly max: number;
  /** From this number on, what is left is not for new connections. */
  readonly lastForClients: number;
  /** Connections for which there is a descriptor, and a second one for the file or the application connection of each. */
  readonly connections: number;
}

/** Node has raised the soft limit to the hard one when it started (src/node.cc, PlatformInit), so that there is no more to get. */
export function readDescriptorLimit(read: () => string = readLimits): DescriptorLimit {
  return describeLimit(softLimitIn(read));
}

export function describeLimit(max: number): DescriptorLimit {
  const spare = Math.min(MOST_SPARE, Math.max(LEAST_SPARE, Math.floor(max / 8)));
  const lastForClients = max - spare;
  return { max, lastForClients, connections: Math.max(1, Math.floor((lastForClients - LEAST_SPARE) / 2)) };
}

// Private

function readLimits(): string {
  return readFileSync('/proc/self/limits', 'latin1');
}

/** proc_pid_limits(5). */
function softLimitIn(read: () => string): number {
  try {
    const [, soft] = /^Max open files\s+(\d+|unlimited)/m.exec(read()) ?? [];
    if (soft === 'unlimited') return 1_048_576;
    return soft === undefined ? USUAL : Number(soft);
  } catch {
    return USUAL;
  }
}
