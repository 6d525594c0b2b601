import type { Socket } from 'node:net';
import type { Clock } from '../../contracts/clock.js';
import type { SocketPlace, UpstreamAddress } from '../../contracts/upstream.js';

/** net.connect to one address. */
export type Connect = (place: SocketPlace) => Socket;

/** Short, because a connection to a Unix socket, or a refused one, costs next to nothing. */
const POLL_INTERVAL_MS = 50;

/**
 * Finds out when a server that does not report its readiness begins to listen: connects again and again, until one of its
 * addresses accepts. It has no deadline of its own: AppProcess stops it.
 */
export class ReadinessPoll {
  readonly #addresses: readonly UpstreamAddress[];
  readonly #connect: Connect;
  readonly #clock: Clock;
  readonly #onAccepted: (address: UpstreamAddress) => void;
  #isStopped = false;
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
    this.#poll();
  }

  /** Gives up; onAccepted is not called any more. */
  stop(): void {
    this.#isStopped = true;
    this.#cancel();
  }

  // Private

  #poll(): void {
    let open = this.#addresses.length;
    for (const address of this.#addresses) {
      const socket = this.#connect(address.place);
      socket.once('connect', () => {
        const isItself = isSelfConnected(socket);
        socket.destroy();
        if (this.#isStopped || isItself) return;
        this.stop();
        this.#onAccepted(address);
      });
      // Nobody listens there yet; `close` follows, and the next round.
      socket.once('error', () => {});
      socket.once('close', () => {
        open -= 1;
        if (open === 0 && !this.#isStopped)
          this.#cancel = this.#clock.after(POLL_INTERVAL_MS, () => this.#poll());
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
