import type { Socket } from 'node:net';
import type { Clock } from '../../../contracts/clock.js';
import type { TlsMaterial } from '../../../contracts/tls-material.js';
import { peekClientHello } from './peek-client-hello.js';
import { SniSelector, type SniSelectorOptions } from './sni-selector.js';

export interface TlsAcceptorOptions extends SniSelectorOptions {
  readonly clock: Clock;
}

/**
 * Turns the TCP connections of the HTTPS port into TLS connections. The front listens with a net.Server, gives each connection to
 * accept(), and what comes out by onConnection to its HTTP servers, by their `connection` event (documented for http
 * and http2: "can be explicitly emitted by users to inject connections").
 *
 * `handshakeTimeoutMs` counts twice: for the ClientHello, and for the rest of the handshake.
 */
export class TlsAcceptor {
  readonly #options: TlsAcceptorOptions;
  #selector: SniSelector;

  /** Throws what OpenSSL says of a certificate that it cannot use, and where there is none. */
  constructor(material: TlsMaterial, options: TlsAcceptorOptions) {
    this.#options = options;
    this.#selector = new SniSelector(material, options);
  }

  /**
   * Counts for every ClientHello from now on; handshakes and connections that have begun go on as they are.
   * Throws like the constructor, and then nothing has changed.
   */
  use(material: TlsMaterial): void {
    this.#selector = new SniSelector(material, this.#options);
  }

  /** The caller can end the connection at any time by destroying the socket. */
  accept(socket: Socket): void {
    const { clock, handshakeTimeoutMs, onFailure } = this.#options;
    socket.on('error', onFailure);
    peekClientHello(socket, { clock, timeoutMs: handshakeTimeoutMs }, (hello) => {
      this.#selector.select(hello).emit('connection', socket);
    });
  }
}
