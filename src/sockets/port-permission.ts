import { readFileSync } from 'node:fs';

/** Its number in linux/capability.h. */
const CAP_NET_BIND_SERVICE = 10n;
const usualStart = 1024;

/**
 * Whether this process may bind the port: what a restart asks before it closes a socket that perhaps only root could bind.
 *
 * By the kernel's rule (ip(7), ip_unprivileged_port_start); true off Linux, where only binding tells.
 */
export function mayBindPort(
  port: number,
  readText: (path: string) => string | undefined = readIfThere,
): boolean {
  const status = readText('/proc/self/status');
  if (status === undefined) return true;
  const start = Number(readText('/proc/sys/net/ipv4/ip_unprivileged_port_start') ?? usualStart);
  const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0';
  return port === 0 || port >= start || ((BigInt(`0x${effective}`) >> CAP_NET_BIND_SERVICE) & 1n) === 1n;
}

// Private

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
