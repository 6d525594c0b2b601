import { lookup } from 'node:dns/promises';
import net from 'node:net';
import { getSystemErrorName } from 'node:util';
import { EasyserveError, ExitCode } from '../contracts/errors.js';
import { defaultPorts, type Scheme } from '../contracts/scheme.js';
import { explainPortOwner, findPortOwner } from './port-owner.js';
import {
  type CreateServerHandle,
  createServerHandle,
  duplicateHandle,
  type SocketHandle,
} from './socket-handle.js';
import {
  bindUnixSocket,
  changeRights,
  removeSocketFile,
  type SocketFile,
  type UnixSocketRights,
  unixPathOf,
} from './unix-socket.js';

/** Does what may need root's rights: Privileges.raised. */
export type WithRights = <T>(act: () => T) => T;

export interface BindOptions {
  readonly scheme?: Scheme;
  readonly create?: CreateServerHandle;
  /** Default: with those that this process has. */
  readonly withRights?: WithRights | undefined;
}

export const unixPrefix = 'unix:';

const unraised: WithRights = (act) => act();

/**
 * An address that is bound once and kept for the life of the instance: no reload, worker crash or restart closes it.
 * The Front of each site listens on it (through the cluster's messages in cluster mode).
 */
export class ListeningSocket {
  readonly handle: SocketHandle;
  readonly scheme: Scheme;
  readonly host: string;
  readonly port: number;
  /** Bound by the service manager, so its address is not ours to change. */
  readonly isInherited: boolean;
  /** Of a Unix socket that we have made. */
  readonly #file: SocketFile | undefined;

  private constructor(
    handle: SocketHandle,
    { scheme, host, port }: { scheme: Scheme; host: string; port: number },
    { isInherited = false, file }: { isInherited?: boolean; file?: SocketFile | undefined } = {},
  ) {
    this.#file = file;
    this.handle = handle;
    this.scheme = scheme;
    this.host = host;
    this.port = port;
    this.isInherited = isInherited;
  }

  /** Port 0 takes any free one. Throws EasyserveError `port-in-use`, `port-forbidden` or `address-unusable`. */
  static async bind(
    host: string,
    port: number,
    { scheme = 'http', create = createServerHandle, withRights = unraised }: BindOptions = {},
  ): Promise<ListeningSocket> {
    const address = await resolve(host, port);
    const handle = withRights(() => create(address, port, net.isIPv6(address) ? 6 : 4));
    if (typeof handle === 'number') throw withRights(() => explainFailure(host, port, handle));
    // libuv keeps EADDRINUSE for later (uv_tcp_bind); asking for the name reveals it.
    const name: { port?: number } = {};
    const failure = handle.getsockname?.(name) ?? 0;
    if (failure !== 0) {
      handle.close();
      throw withRights(() => explainFailure(host, port, failure));
    }
    return new ListeningSocket(handle, { scheme, host, port: name.port ?? port });
  }

  /** `host` is `unix:` and a path. Throws EasyserveError `port-in-use`, `address-unusable` or `group-unknown`. */
  static async bindUnix(host: string, rights: UnixSocketRights): Promise<ListeningSocket> {
    const { handle, file } = await bindUnixSocket(host.slice(unixPrefix.length), rights);
    return new ListeningSocket(handle, { scheme: 'http', host, port: 0 }, { file });
  }

  /** Takes a descriptor that the service manager bound (InheritedSockets). Throws EasyserveError `socket-unusable`. */
  static adopt(fd: number, name: string): ListeningSocket {
    // Node's net.Server does the same for listen({ fd }); only the handle of a TCP socket has a name to ask for.
    const handle = createServerHandle(null, null, -1, fd);
    const path = unixPathOf(fd);
    if (typeof handle !== 'number' && handle.getsockname === undefined && path !== undefined) {
      const place = { scheme: 'http', host: `${unixPrefix}${path}`, port: 0 } as const;
      return new ListeningSocket(handle, place, { isInherited: true });
    }
    const address: { address?: string; port?: number } = {};
    const isTcp = typeof handle !== 'number' && handle.getsockname?.(address) === 0;
    if (!isTcp || address.address === undefined || address.port === undefined) throw notAdoptable(fd, name);
    return new ListeningSocket(
      handle,
      { scheme: 'http', host: address.address, port: address.port },
      { isInherited: true },
    );
  }

  /** Of a Unix socket it is the host of the settings: no browser goes there. */
  get url(): string {
    if (this.host.startsWith(unixPrefix)) return this.host;
    const isAny = this.host === '0.0.0.0' || this.host === '::';
    const name = isAny ? 'localhost' : net.isIPv6(this.host) ? `[${this.host}]` : this.host;
    const port = this.port === defaultPorts[this.scheme] ? '' : `:${this.port}`;
    return `${this.scheme}://${name}${port}/`;
  }

  /** The same socket for another scheme. */
  as(scheme: Scheme): ListeningSocket {
    const { host, port, isInherited } = this;
    return new ListeningSocket(this.handle, { scheme, host, port }, { isInherited, file: this.#file });
  }

  /** The same socket once more: it stays open, and its clients wait, when this one is closed. */
  async duplicate(): Promise<ListeningSocket> {
    const { isInherited } = this;
    return new ListeningSocket(await duplicateHandle(this.handle), this, { isInherited, file: this.#file });
  }

  /** Of the file of a Unix socket. Throws EasyserveError `address-unusable` or `group-unknown`. */
  changeRights(rights: UnixSocketRights): void {
    if (this.#file !== undefined) changeRights(this.#file, rights);
  }

  /** Does nothing when a server that listened on it has closed it already. */
  close(): void {
    this.handle.close();
  }

  /** For good: the file of a Unix socket goes too. */
  remove(): void {
    this.close();
    if (this.#file !== undefined) removeSocketFile(this.#file);
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

function explainFailure(host: string, port: number, failure: number): EasyserveError {
  const code = getSystemErrorName(failure);
  if (code === 'EADDRINUSE') {
    const owner = findPortOwner(port);
    const name = owner && `${owner.isGuess ? 'probably ' : ''}process ${owner.pid} (${owner.command})`;
    return new EasyserveError(
      'port-in-use',
      ExitCode.address,
      `Port ${port} is taken by ${name ?? 'another process'}.`,
      {
        hint: explainPortOwner(port, owner),
      },
    );
  }
  if (code === 'EACCES' || code === 'EPERM') {
    return new EasyserveError(
      'port-forbidden',
      ExitCode.address,
      `This user may not listen on port ${port}.`,
      { detail: waysToAllow(port), hint: 'one of these, or easyserve start --port 8000' },
    );
  }
  return unusable(host, port, code);
}

/** More in docs/ports.md. */
function waysToAllow(port: number): string {
  return [
    'To allow it, as root:',
    `  this site, as a service         sudo easyserve install`,
    `  every program of this machine   sudo sysctl -w net.ipv4.ip_unprivileged_port_start=${port}`,
    '  root binds, the owner serves    sudo easyserve start',
  ].join('\n');
}

function notAdoptable(fd: number, name: string): EasyserveError {
  return new EasyserveError(
    'socket-unusable',
    ExitCode.address,
    `The socket${name === '' ? '' : ` ${name}`} that the service manager passes as descriptor ${fd} is no TCP socket.`,
    { hint: 'ListenStream= with a port in the socket unit, as `easyserve install --socket` writes it' },
  );
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
