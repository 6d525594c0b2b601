import { once } from 'node:events';
import { type ClientHttp2Session, connect } from 'node:http2';
import { connect as connectTcp } from 'node:net';
import type { TestContext } from 'node:test';
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls';
import type { Handler } from '../../src/front/exchange.js';
import type { Settings } from '../../src/settings/settings.js';
import { ListeningSocket } from '../../src/sockets/listening-socket.js';
import { RawConnection } from './raw-connection.js';
import { RawHttp2 } from './raw-http2.js';
import { type ServedFront, serveFront } from './serve-front.js';
import { makeCertificate, makeMaterial } from './tls-material.js';
import { withDeadline } from './with-deadline.js';

/** A real Front that serves HTTPS besides HTTP, each on a free port of this machine, with virtual time. Made by serveSecureFront. */
export class SecureFront {
  readonly served: ServedFront;
  readonly port: number;
  readonly #t: TestContext;

  constructor(t: TestContext, served: ServedFront, port: number) {
    this.#t = t;
    this.served = served;
    this.port = port;
  }

  /** What Node's own client makes of it. Closed at the test's end. */
  async http2(): Promise<ClientHttp2Session> {
    const session = connect(`https://localhost:${this.port}`, {
      rejectUnauthorized: false,
      host: '127.0.0.1',
    });
    session.on('error', () => {}); // 'close' follows
    this.#t.after(() => session.destroy());
    await withDeadline(once(session, 'connect'), 10_000, () => 'no connection');
    return session;
  }

  /** For what no client would send. The preface has been exchanged. */
  async rawHttp2(): Promise<RawHttp2> {
    return RawHttp2.begin(await this.tls({ ALPNProtocols: ['h2'] }));
  }

  /** HTTP/1 over TLS. */
  async http1(): Promise<RawConnection> {
    return new RawConnection(await this.tls({}));
  }

  /** A TCP connection whose handshake waits for one of the two. */
  async halfOpen(): Promise<{ finish: () => Promise<RawHttp2>; finishHttp1: () => Promise<RawConnection> }> {
    const below = connectTcp(this.port, '127.0.0.1');
    this.#t.after(() => below.destroy());
    await withDeadline(once(below, 'connect'), 10_000, () => 'no connection');
    return {
      finish: async () => RawHttp2.begin(await this.tls({ socket: below, ALPNProtocols: ['h2'] })),
      finishHttp1: async () => new RawConnection(await this.tls({ socket: below })),
    };
  }

  async tls(options: ConnectionOptions): Promise<TLSSocket> {
    const socket = connectTls({
      ...{ port: this.port, host: '127.0.0.1', servername: 'localhost', rejectUnauthorized: false },
      ...options,
    });
    this.#t.after(() => socket.destroy());
    await withDeadline(once(socket, 'secureConnect'), 10_000, () => 'no handshake');
    return socket;
  }
}

/** Adds HTTPS to a front. */
export async function secure(t: TestContext, served: ServedFront): Promise<SecureFront> {
  const socket = await ListeningSocket.bind('127.0.0.1', 0);
  served.front.useTls(makeMaterial([await makeCertificate(['localhost'])]));
  await served.front.listen('https', socket.handle);
  return new SecureFront(t, served, Number(new URL(socket.url).port));
}

/** Serves until the test ends. */
export async function serveSecureFront(
  t: TestContext,
  handlers: readonly Handler[],
  changed: Partial<Settings> = {},
): Promise<SecureFront> {
  return await secure(t, await serveFront(t, handlers, changed));
}
