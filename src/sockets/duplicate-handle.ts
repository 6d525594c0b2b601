import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { SocketHandle } from './listening-socket.js';

const returnHandle = fileURLToPath(new URL('./return-handle.js', import.meta.url));
const TIMEOUT_MS = 10_000;

/**
 * A second descriptor for a listening socket: the socket, with the clients that wait in its queue, outlives the first one.
 * Used by ListeningSocket for easyserve restart.
 *
 * Node has no dup(2). What is sent to another process and back is a duplicate (unix(7), SCM_RIGHTS). Throws when that
 * process cannot be started.
 */
export async function duplicateHandle(handle: SocketHandle): Promise<SocketHandle> {
  const child = fork(returnHandle, {
    execArgv: [],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    signal: AbortSignal.timeout(TIMEOUT_MS),
    killSignal: 'SIGKILL',
  });
  const failed = Promise.race([once(child, 'exit'), once(child, 'error')]).then(([reason]) => {
    throw new Error(`the listening socket could not be duplicated (${String(reason)})`);
  });
  // A raw handle is what node:cluster sends too; the types know only the objects around it.
  child.send('handle', handle as never);
  const returned = once(child, 'message').then(([, duplicate]) => duplicate as SocketHandle);
  return Promise.race([returned, failed]);
}
