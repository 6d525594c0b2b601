import { defaultPorts, type Scheme } from '../contracts/scheme.js';
import { ListeningSocket } from './listening-socket.js';

/** SD_LISTEN_FDS_START, sd_listen_fds(3). */
const FIRST_FD = 3;

interface Inherited {
  readonly name: string;
  readonly socket: ListeningSocket;
}

/**
 * Sockets that the service manager has bound and passes on: systemd's socket activation (sd_listen_fds(3)). They are
 * taken before anything is bound (address).
 */
export class InheritedSockets {
  readonly #left: Inherited[];

  constructor(sockets: readonly Inherited[] = []) {
    this.#left = [...sockets];
  }

  /**
   * LISTEN_PID says whom they are for: what a parent left in the environment is not ours.
   * Throws EasyserveError `socket-unusable` for one that is no listening TCP socket.
   */
  static read(
    env: Readonly<Record<string, string | undefined>>,
    pid: number,
    adopt: (fd: number, name: string) => ListeningSocket = ListeningSocket.adopt,
  ): InheritedSockets {
    const count = Number(env.LISTEN_FDS ?? '0');
    if (env.LISTEN_PID !== String(pid) || !Number.isInteger(count) || count < 1)
      return new InheritedSockets();
    const names = (env.LISTEN_FDNAMES ?? '').split(':');
    return new InheritedSockets(
      Array.from({ length: count }, (_, index) => {
        const name = names[index] ?? '';
        return { name, socket: adopt(FIRST_FD + index, name) };
      }),
    );
  }

  /**
   * The socket for a role: the one of that name (FileDescriptorName=); else the one at the port that the settings name,
   * or at the usual one; else, for http, a single one whose name says nothing. Undefined: there is none.
   */
  take(role: Scheme, port: number | null): ListeningSocket | undefined {
    const unnamed = this.#left.filter(({ name }) => !Object.hasOwn(defaultPorts, name));
    const found =
      this.#left.find(({ name }) => name === role) ??
      unnamed.find(({ socket }) => socket.port === (port ?? defaultPorts[role])) ??
      (role === 'http' && unnamed.length === 1 && this.#left.length === 1 ? unnamed[0] : undefined);
    if (found === undefined) return undefined;
    this.#left.splice(this.#left.indexOf(found), 1);
    return found.socket.as(role);
  }

  /** Those that nobody took, as addresses; they are closed. For a warning: their clients would wait without an end. */
  closeRest(): readonly string[] {
    return this.#left.splice(0).map(({ name, socket }) => {
      socket.close();
      return `${name === '' ? '' : `${name}, `}${socket.host}:${socket.port}`;
    });
  }
}
