import { timingSafeEqual } from 'node:crypto';

/**
 * How both ends of a TCP connection to a gateway know each other (Doorkeeper in python/easyserve_doorkeeper.py): the front
 * shows the first half of the secret as it connects, the gateway the other half with its hello. Anyone on the machine may
 * connect to a port, and whoever takes the port of a process that has just ended would get the visitors' requests.
 *
 * Used by GatewayConnection. A Unix socket has no secret: only this user can reach it.
 */
export interface Proof {
  /** Sent first. */
  readonly shown: string;
  /** What the peer has to show in turn. */
  isShownBy(peer: string): boolean;
}

export function proofOf(secret: string): Proof {
  const middle = secret.length / 2;
  const expected = Buffer.from(secret.slice(middle));
  return {
    shown: secret.slice(0, middle),
    isShownBy: (peer) =>
      peer.length === expected.length && timingSafeEqual(Buffer.from(peer, 'latin1'), expected),
  };
}
