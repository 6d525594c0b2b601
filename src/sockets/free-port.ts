import net from 'node:net';
import { getSystemErrorName } from 'node:util';
import { StartError } from '../contracts/errors.js';

/** As front/listening-socket has it: Node's own way to bind at once, without a callback. */
const { _createServerHandle: bind } = net as unknown as {
  _createServerHandle: (address: string, port: number, type: 4) => BoundHandle | number;
};

interface BoundHandle {
  getsockname(out: { port?: number }): number;
  close(): void;
}

const LOOPBACK = '127.0.0.1';

/**
 * A port of this machine that nobody listens on at this moment, and that the system gives to somebody else only after it has
 * given all others. Used by CommandServer, whose program binds it a little later; when somebody was faster, the program
 * fails to start, and its restart gets another one.
 *
 * Throws StartError `no-free-port`.
 */
export function findFreePort(): number {
  const handle = bind(LOOPBACK, 0, 4);
  if (typeof handle === 'number') throw noFreePort(handle);
  const name: { port?: number } = {};
  const failure = handle.getsockname(name);
  handle.close();
  if (failure !== 0 || name.port === undefined) throw noFreePort(failure);
  return name.port;
}

// Private

function noFreePort(failure: number): StartError {
  const reason = getSystemErrorName(failure);
  return new StartError('no-free-port', `This machine has no free port for the application (${reason}).`);
}
