import type { ListenOptions } from 'node:net';

/** What the application asked for, in one of the many forms of server.listen(). */
export interface ListenArguments {
  /** 0: any free one. Undefined: it named a path or a descriptor instead. */
  readonly port: number | undefined;
  readonly host: string | undefined;
  readonly callback: (() => void) | undefined;
}

/** Reads the arguments of net.Server.listen() (Node.js documentation, `server.listen()`). */
export function readListenArguments(args: readonly unknown[]): ListenArguments {
  const last = args.at(-1);
  const callback = typeof last === 'function' ? (last as () => void) : undefined;
  const [first, second] = args;
  if (typeof first === 'object' && first !== null) {
    const { port, host, path } = first as ListenOptions;
    return { port: path === undefined ? toPort(port) : undefined, host, callback };
  }
  const host = typeof second === 'string' ? second : undefined;
  if (first === undefined || first === null || first === callback) return { port: 0, host, callback };
  return { port: toPort(first), host, callback };
}

/** The answer of server.address(): applications print it, and build their own URLs with it. */
export function describeAddress(
  { port, host }: ListenArguments,
  usualPort: number,
): { address: string; family: string; port: number } {
  const address = host === undefined || host === '' ? '::' : host === 'localhost' ? '127.0.0.1' : host;
  return { address, family: address.includes(':') ? 'IPv6' : 'IPv4', port: port || usualPort };
}

// Private

/** A string that is no number is the path of a socket: undefined. */
function toPort(value: unknown): number | undefined {
  if (typeof value === 'number') return value;
  return typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : undefined;
}
