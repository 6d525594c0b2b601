import { createServer, type Server, type TLSSocket, type TlsOptions } from 'node:tls';
import type { CertificateMaterial, TlsMaterial } from '../../../contracts/tls-material.js';
import { ByServerName } from './by-server-name.js';
import { cipherPolicy } from './cipher-policy.js';
import type { ClientHello } from './client-hello.js';

/** The only protocol that a CA offers when it asks for the certificate of a challenge (RFC 8737 section 4). */
const challengeProtocol = 'acme-tls/1';

export interface SniSelectorOptions {
  /** Asked at each handshake, because a reload may change it. */
  readonly isHttp2Offered: () => boolean;
  readonly handshakeTimeoutMs: number;
  /** After a handshake. Its alpnProtocol is `h2`, `http/1.1`, or false for a client that has no ALPN: HTTP/1.1. */
  readonly onConnection: (socket: TLSSocket) => void;
  readonly onFailure: (error: Error) => void;
}

/**
 * A TLS server for each certificate, none of which listens: each connection is given to the one whose certificate belongs to
 * its ClientHello.
 *
 * Why not one server with SNICallback: Node then adds the chosen certificate to the default one, and where one is RSA and the
 * other ECDSA the client may get the wrong one (nodejs/node#54235, in Node 20 and 22). Nor is SNICallback told that
 * a CA asks for the certificate of a challenge, and in TLS 1.2 ALPNCallback is called when it is too late for another kind of key.
 */
export class SniSelector {
  readonly #first: Server;
  readonly #byName: ByServerName<Server>;
  readonly #challenges: ByServerName<Server>;

  /** Throws what OpenSSL says of a certificate that it cannot use, and where there is none. */
  constructor(material: TlsMaterial, options: SniSelectorOptions) {
    const ticketKeys = Buffer.from(material.ticketKeys, 'base64');
    const common = { ...cipherPolicy, ticketKeys, handshakeTimeout: options.handshakeTimeoutMs };
    const servers = material.certificates.map((certificate) => ({
      names: certificate.names,
      value: toServer(certificate, { ...common, ALPNCallback: chooseProtocol(options) }, options),
    }));
    const [first] = servers;
    if (first === undefined) throw new Error('TLS needs a certificate, and there is none');
    this.#first = first.value;
    this.#byName = new ByServerName(servers);
    const challenged = { ...options, onConnection: endChallenge };
    this.#challenges = new ByServerName(
      material.alpnCertificates.map((certificate) => ({
        names: certificate.names,
        value: toServer(certificate, { ...common, ALPNProtocols: [challengeProtocol] }, challenged),
      })),
    );
  }

  /** The server that a connection is to be given to, by its `connection` event. */
  select(hello: ClientHello | undefined): Server {
    const { serverName, protocols = [] } = hello ?? {};
    if (serverName === undefined) return this.#first;
    const isChallenge = protocols.length === 1 && protocols[0] === challengeProtocol;
    const challenge = isChallenge ? this.#challenges.find(serverName) : undefined;
    return challenge ?? this.#byName.find(serverName) ?? this.#first;
  }
}

// Private

function toServer(
  { certificatePem, keyPem }: CertificateMaterial,
  tlsOptions: TlsOptions,
  { onConnection, onFailure }: SniSelectorOptions,
): Server {
  const server = createServer({ ...tlsOptions, cert: certificatePem, key: keyPem }, onConnection);
  return server.on('tlsClientError', (error, socket) => {
    socket.destroy();
    onFailure(error);
  });
}

/** undefined refuses the handshake with no_application_protocol (RFC 7301 section 3.2). */
function chooseProtocol(options: SniSelectorOptions): (asked: { protocols: string[] }) => string | undefined {
  return ({ protocols }) => {
    const offered = options.isHttp2Offered() ? ['h2', 'http/1.1'] : ['http/1.1'];
    return offered.find((protocol) => protocols.includes(protocol));
  };
}

/** After the handshake nothing more is said (RFC 8737 section 3). */
function endChallenge(socket: TLSSocket): void {
  socket.on('error', () => {}); // whether the CA still hears the end makes no difference
  socket.end();
}
