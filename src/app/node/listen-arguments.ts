import type { ListenOptions, Server } from 'node:net';

/** What the application asked for, in one of the many forms of server.listen(). */
export interface ListenArguments {
  /** 0: any free one. Undefined: it named a path or a descriptor instead. */
  readonly port: number | undefined;
  /** Of a Unix socket. */
  readonly path: string | undefined;
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
    // Frameworks name both, with false for the one that is not meant.
    if (path) return { port: undefined, path, host, callback };
    return { port: toPort(port), path: undefined, host, callback };
  }
  const host = typeof second === 'string' ? second : undefined;
  if (first === undefined || first === null || first === callback)
    return { port: 0, path: undefined, host, callback };
  const port = toPort(first);
  const path = port === undefined && typeof first === 'string' ? first : undefined;
  return { port, path, host, callback };
}

/** The answer of server.address(): applications print it, and build their own URLs with it. */
export function describeAddress(
  { port, host }: ListenArguments,
  usualPort: number,
): { address: string; family: string; port: number } {
  const address = host === undefined || host === '' ? '::' : host === 'localhost' ? '127.0.0.1' : host;
  return { address, family: address.includes(':') ? 'IPv6' : 'IPv4', port: port || usualPort };
}

/**
 * The same port once more: a second server for another address of this machine, as Fastify makes one for each that
 * `localhost` has, or a port that is not free yet. Nobody connects to it.
 */
export function pretendToListen(
  server: Server,
  wanted: ListenArguments,
  onClose: () => void = () => {},
): Server {
  const address = describeAddress(wanted, 0);
  const handle = {
    close(done?: () => void) {
      onClose();
      if (done !== undefined) process.nextTick(done);
    },
    ref: () => {},
    unref: () => {},
  };
  // What `listening` and close() look at (lib/net.js).
  Object.assign(server, { _handle: handle, address: () => (server.listening ? address : null) });
  if (wanted.callback !== undefined) server.once('listening', wanted.callback);
  process.nextTick(() => server.listening && server.emit('listening'));
  return server;
}

// Private

/** A string that is no number is the path of a socket: undefined. */
function toPort(value: unknown): number | undefined {
  if (typeof value === 'number') return value;
  return typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : undefined;
}
