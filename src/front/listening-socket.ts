import { lookup } from 'node:dns/promises';
import net from 'node:net';
import { getSystemErrorName } from 'node:util';
import { EasyserveError, ExitCode } from '../errors.js';
import { duplicateHandle } from './duplicate-handle.js';
import { findPortOwner } from './port-owner.js';

/** A raw TCP handle: what http.Server.listen takes, and what a worker can be sent. */
export interface SocketHandle {
  readonly fd: number;
  getsockname(out: { address?: string; port?: number }): number;
  close(callback?: () => void): void;
}

/**
 * Node's own way to bind without accepting, used by its cluster module for the same purpose. It is not documented; the
 * tests run it on every supported Node. A net.Server instead would accept in the primary, which serves no request.
 */
type CreateServerHandle = (
  address: string,
  port: number,
  type: 4 | 6,
  fd?: number,
  flags?: number,
) => SocketHandle | number;

const { _createServerHandle: createServerHandle } = net as unknown as {
  _createServerHandle: CreateServerHandle;
};

/**
 * An address that is bound once and kept for the life of the instance: no reload, worker crash or restart closes it.
 *
 * Made by launcher; the Front of each site listens on it (through the cluster's messages in cluster mode).
 */
export class ListeningSocket {
  readonly handle: SocketHandle;
  readonly host: string;
  readonly port: number;

  private constructor(handle: SocketHandle, host: string, port: number) {
    this.handle = handle;
    this.host = host;
    this.port = port;
  }

  /** Port 0 takes any free one. Throws EasyserveError `port-in-use`, `port-forbidden` or `address-unusable`. */
  static async bind(
    host: string,
    port: number,
    create: CreateServerHandle = createServerHandle,
  ): Promise<ListeningSocket> {
    const address = await resolve(host, port);
    const handle = create(address, port, net.isIPv6(address) ? 6 : 4);
    if (typeof handle === 'number') throw await explainFailure(host, port, handle);
    // libuv keeps EADDRINUSE for later (uv_tcp_bind); asking for the name brings it out.
    const name: { port?: number } = {};
    const failure = handle.getsockname(name);
    if (failure !== 0) {
      handle.close();
      throw await explainFailure(host, port, failure);
    }
    return new ListeningSocket(handle, host, name.port ?? port);
  }

  get url(): string {
    const isAny = this.host === '0.0.0.0' || this.host === '::';
    const name = isAny ? 'localhost' : net.isIPv6(this.host) ? `[${this.host}]` : this.host;
    return this.port === 80 ? `http://${name}/` : `http://${name}:${this.port}/`;
  }

  /** The same socket once more: it stays open, and its clients wait, when this one is closed. */
  async duplicate(): Promise<ListeningSocket> {
    return new ListeningSocket(await duplicateHandle(this.handle), this.host, this.port);
  }

  /** Does nothing when a server that listened on it has closed it already. */
  close(): void {
    this.handle.close();
  }
}

// Private

/** A name is looked up once; of several addresses it is the first. */
async function resolve(host: string, port: number): Promise<string> {
  if (net.isIP(host) !== 0) return host;
  try {
    return (await lookup(host)).address;
  } catch (error) {
    throw unusable(host, port, (error as NodeJS.ErrnoException).code ?? String(error));
  }
}

async function explainFailure(host: string, port: number, failure: number): Promise<EasyserveError> {
  const code = getSystemErrorName(failure);
  if (code === 'EADDRINUSE') {
    const owner = await findPortOwner(port);
    const who = owner === undefined ? 'another process' : `process ${owner.pid} (${owner.command})`;
    return new EasyserveError('port-in-use', ExitCode.address, `Port ${port} is taken by ${who}.`, {
      hint:
        owner === undefined
          ? 'easyserve start --port 8001'
          : `kill ${owner.pid}, or easyserve start --port 8001`,
    });
  }
  if (code === 'EACCES' || code === 'EPERM') {
    return new EasyserveError(
      'port-forbidden',
      ExitCode.address,
      `This user may not listen on port ${port}.`,
      {
        hint: 'sudo sysctl net.ipv4.ip_unprivileged_port_start=80, or easyserve start --port 8000',
      },
    );
  }
  return unusable(host, port, code);
}

function unusable(host: string, port: number, code: string): EasyserveError {
  return new EasyserveError(
    'address-unusable',
    ExitCode.address,
    `The address ${host}:${port} cannot be used (${code}).`,
    {
      hint: 'easyserve start --host 0.0.0.0 for all addresses of this machine',
    },
  );
}
