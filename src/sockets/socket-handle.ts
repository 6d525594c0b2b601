import { fork } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';
import { fileURLToPath } from 'node:url';
import { getSystemErrorName } from 'node:util';
import { StartError } from '../contracts/errors.js';
import { startDespiteSignals } from '../contracts/start-despite-signals.js';
import { endCode, withoutDebugger } from '../contracts/stray-signals.js';

/** A raw TCP handle: what http.Server.listen takes, and what a worker can be sent. */
export interface SocketHandle {
  readonly fd: number;
  /** Of TCP alone: the handle of a Unix socket has no name to ask for. */
  getsockname?(out: { address?: string; port?: number }): number;
  close(callback?: () => void): void;
}

/** Whether only programs of this machine can connect to it. */
export function isLocalOnly(handle: SocketHandle): boolean {
  if (handle.getsockname === undefined) return true;
  const name: { address?: string } = {};
  if (handle.getsockname(name) !== 0) return false;
  return /^(?:127\.|::1$|::ffff:127\.)/.test(name.address ?? '');
}

export type CreateServerHandle = (
  address: string | null,
  port: number | null,
  /** -1 with the port -1: `address` is the path of a Unix socket. */
  type: 4 | 6 | -1,
  fd?: number,
  flags?: number,
) => SocketHandle | number;

/**
 * Node's own way to bind without accepting, and without a callback; its cluster module uses it for the same purpose. It is not
 * documented; the tests run it on every supported Node. A net.Server instead would accept in the primary, which serves no request.
 *
 * Returns an error number of libuv where it fails (util.getSystemErrorName).
 */
export const { _createServerHandle: createServerHandle } = net as unknown as {
  _createServerHandle: CreateServerHandle;
};

/**
 * Has a server accept on a handle that is bound. For TCP that is net.Server.listen; for the handle of a Unix socket it knows no way but to
 * open the descriptor a second time, and so to close it twice: what it does then is done by hand.
 */
export function listenOn(server: net.Server, handle: SocketHandle, backlog: number): void {
  if (handle.getsockname !== undefined) {
    server.listen(handle, backlog);
    return;
  }
  const inner = server as unknown as {
    _handle: SocketHandle;
    _listen2(address: null, port: -1, type: -1, backlog: number): void;
  };
  inner._handle = handle;
  inner._listen2(null, -1, -1, backlog);
}

/**
 * A port of this machine that nobody listens on at this moment, and that the system gives to somebody else only after it has
 * given all others. A program that binds it a little later may find that another was faster.
 *
 * Throws StartError `no-free-port`.
 */
export function findFreePort(): number {
  const handle = createServerHandle('127.0.0.1', 0, 4);
  if (typeof handle === 'number') throw noFreePort(handle);
  const name: { port?: number } = {};
  const failure = handle.getsockname?.(name) ?? 0;
  handle.close();
  if (failure !== 0 || name.port === undefined) throw noFreePort(failure);
  return name.port;
}

const returnHandle = fileURLToPath(new URL('./return-handle.js', import.meta.url));
const duplicateTimeoutMs = 10_000;

/**
 * A second descriptor for a listening socket: the socket, with the clients that wait in its queue, outlives the first one.
 *
 * Node has no dup(2). What is sent to another process and back is a duplicate (unix(7), SCM_RIGHTS). Throws when that
 * process cannot be started.
 */
export function duplicateHandle(handle: SocketHandle): Promise<SocketHandle> {
  return startDespiteSignals(() => duplicateOnce(handle));
}

async function duplicateOnce(handle: SocketHandle): Promise<SocketHandle> {
  const child = fork(returnHandle, {
    execArgv: [...withoutDebugger],
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    signal: AbortSignal.timeout(duplicateTimeoutMs),
    killSignal: 'SIGKILL',
  });
  const failed = Promise.race([once(child, 'exit'), once(child, 'error')]).then(([reason, signal]) => {
    const how = String(signal ?? reason);
    throw new StartError(
      endCode(signal, 'socket-not-duplicated'),
      `The listening socket could not be duplicated (${how}).`,
    );
  });
  // A raw handle is what node:cluster sends too; the types know only the objects around it.
  child.send('handle', handle as never);
  const returned = once(child, 'message').then(([, duplicate]) => duplicate as SocketHandle);
  return Promise.race([returned, failed]);
}

// Private

function noFreePort(failure: number): StartError {
  const reason = getSystemErrorName(failure);
  return new StartError('no-free-port', `This machine has no free port for the application (${reason}).`);
}
