import { Server, type Socket } from 'node:net';
import { type ListenArguments, pretendToListen } from './listen-arguments.js';

export type Listen = (...args: unknown[]) => Server;

const RETRY_MS = 500;

/**
 * Lets a server listen on a port of the application's own, beside the site: for metrics, or another protocol.
 *
 * At a reload the processes of two releases are there at once, and with `processes` above 1 always: only one of them can have the port. The
 * others take it when that one ends, and the application is not told that they wait, because an error would end it.
 */
export function listenWhenFree(
  server: Server,
  args: unknown[],
  wanted: ListenArguments,
  listen: Listen,
): Server {
  if (!wanted.port) return listen.apply(server, args); // a path, a descriptor, or any free port
  const { emit } = server;
  server.emit = function (this: Server, event: string, ...rest: unknown[]): boolean {
    const [error] = rest as [NodeJS.ErrnoException?];
    if (event !== 'error' || error?.code !== 'EADDRINUSE' || error.syscall !== 'listen') {
      return Reflect.apply(emit, this, [event, ...rest]) as boolean;
    }
    server.emit = emit;
    process.stderr.write(
      `port ${wanted.port} is taken, as a rule by another process of this application: it is listened on once it is free\n`,
    );
    const relay = relayTo(server, wanted, listen);
    pretendToListen(server, { ...wanted, callback: undefined }, () => relay.stop());
    return true;
  } as Server['emit'];
  return listen.apply(server, args);
}

// Private

/** Listens as soon as it can, and hands the connections over (Node.js documentation, http, event `connection`). */
function relayTo(server: Server, { port, host }: ListenArguments, listen: Listen): { stop(): void } {
  const relay = new Server({ allowHalfOpen: true });
  let timer: NodeJS.Timeout | undefined;
  const tryAgain = (): void => {
    listen.call(relay, { port, host });
  };
  relay.on('connection', (socket: Socket) => server.emit('connection', socket));
  relay.on('error', () => {
    timer = setTimeout(tryAgain, RETRY_MS).unref();
  });
  relay.unref();
  timer = setTimeout(tryAgain, RETRY_MS).unref();
  return {
    stop() {
      clearTimeout(timer);
      relay.close();
    },
  };
}
