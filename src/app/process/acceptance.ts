import type { Socket } from 'node:net';
import type { Clock } from '../../contracts/clock.js';
import type { SocketPlace, UpstreamAddress } from '../../contracts/upstream.js';

/** net.connect, for one place. */
export type Connect = (place: SocketPlace) => Socket;

/** A server that listens is found this soon; a connection to a Unix socket, or refused, costs next to nothing. */
const ASK_MS = 50;

/**
 * Finds out when a server that says nothing of itself begins to listen: by connecting, again and again, until one of its
 * addresses accepts. Created by AppProcess, which knows the deadline and sees the end of the process.
 */
export class Acceptance {
  readonly #addresses: readonly UpstreamAddress[];
  readonly #connect: Connect;
  readonly #clock: Clock;
  readonly #onAccepted: (address: UpstreamAddress) => void;
  #isOver = false;
  #cancel: () => void = () => {};

  constructor(
    addresses: readonly UpstreamAddress[],
    connect: Connect,
    clock: Clock,
    onAccepted: (address: UpstreamAddress) => void,
  ) {
    this.#addresses = addresses;
    this.#connect = connect;
    this.#clock = clock;
    this.#onAccepted = onAccepted;
    this.#ask();
  }

  /** The process is ready or has ended, or is given up on. */
  stop(): void {
    this.#isOver = true;
    this.#cancel();
  }

  // Private

  #ask(): void {
    let open = this.#addresses.length;
    for (const address of this.#addresses) {
      const socket = this.#connect(address.place);
      socket.once('connect', () => {
        const isItself = isSelfConnected(socket);
        socket.destroy();
        if (this.#isOver || isItself) return;
        this.stop();
        this.#onAccepted(address);
      });
      // Not there yet: that is what is waited for.
      socket.once('error', () => {});
      socket.once('close', () => {
        open -= 1;
        if (open === 0 && !this.#isOver) this.#cancel = this.#clock.after(ASK_MS, () => this.#ask());
      });
    }
  }
}

// Private

/**
 * A connection to a port where nobody listens can meet itself, when the system gives it that very port on its own side
 * (simultaneous open, RFC 9293 section 3.5).
 */
function isSelfConnected({ localPort, remotePort, localAddress, remoteAddress }: Socket): boolean {
  return localPort !== undefined && localPort === remotePort && localAddress === remoteAddress;
}
