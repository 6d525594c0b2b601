import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { Duplex } from 'node:stream';
import type { TestContext } from 'node:test';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { systemClock } from '../../src/contracts/clock.js';
import type { TlsMaterial } from '../../src/contracts/tls-material.js';
import { TlsAcceptor, type TlsAcceptorOptions } from '../../src/front/listen/tls/tls-acceptor.js';
import { withDeadline } from './with-deadline.js';

/** Listens on a port of its own until the test ends; answers with the port. */
export async function listenFor(t: TestContext, server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => new Promise((resolve) => server.close(resolve)));
  return (server.address() as AddressInfo).port;
}

export function sayHi(socket: TLSSocket): void {
  socket.on('error', () => {}); // a client that only wanted the handshake
  socket.end('hi');
}

export interface ServedTls {
  readonly acceptor: TlsAcceptor;
  readonly port: number;
  /** Handshakes that failed, oldest first. */
  readonly failures: Error[];
}

/** A server that says "hi" over TLS and ends, unless the options have something else for a connection. */
export async function serveTls(
  t: TestContext,
  material: TlsMaterial,
  options: Partial<TlsAcceptorOptions> = {},
): Promise<ServedTls> {
  const failures: Error[] = [];
  const acceptor = new TlsAcceptor(material, {
    clock: systemClock,
    isHttp2Offered: () => true,
    handshakeTimeoutMs: 10_000,
    onConnection: sayHi,
    onFailure: (error) => failures.push(error),
    ...options,
  });
  const port = await listenFor(
    t,
    createServer((socket) => acceptor.accept(socket)),
  );
  return { acceptor, port, failures };
}

export interface Handshake {
  /** Common name of the certificate. */
  readonly subject: string;
  readonly protocol: string | null;
  readonly alpn: string | false | null;
  readonly isResumed: boolean;
  /** To begin another connection with; undefined where the server gave none. */
  readonly session: Buffer | undefined;
}

/** Connects, reads to the end, and says what was negotiated. Rejects with the error of the handshake. */
export async function handshake(port: number, options: ConnectionOptions = {}): Promise<Handshake> {
  const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options });
  let session: Buffer | undefined;
  socket.on('session', (given) => {
    session = given;
  });
  try {
    await withDeadline(once(socket, 'secureConnect'), 10_000, () => 'no handshake');
    const facts = describe(socket);
    socket.resume();
    await withDeadline(once(socket, 'close'), 10_000, () => 'the connection did not end');
    return { ...facts, session };
  } finally {
    socket.destroy();
  }
}

function describe(socket: TLSSocket): Omit<Handshake, 'session'> {
  return {
    subject: String(socket.getPeerX509Certificate()?.subject.match(/^CN=(.*)$/m)?.[1]),
    protocol: socket.getProtocol(),
    alpn: socket.alpnProtocol,
    isResumed: socket.isSessionReused(),
  };
}

/** What Node's client says first. */
export async function captureHello(options: ConnectionOptions = {}): Promise<Buffer> {
  const [near, far] = duplexPair();
  const socket = connect({ socket: near, rejectUnauthorized: false, ...options });
  socket.on('error', () => {}); // nobody answers
  const [hello] = (await once(far, 'data')) as [Buffer];
  socket.destroy();
  far.destroy();
  return hello;
}

/** stream.duplexPair came with Node 22.6. */
function duplexPair(): readonly [Duplex, Duplex] {
  const make = (other: () => Duplex): Duplex =>
    new Duplex({
      read() {},
      write(chunk, _encoding, done) {
        other().push(chunk);
        done();
      },
    });
  const near: Duplex = make(() => far);
  const far: Duplex = make(() => near);
  return [near, far];
}
