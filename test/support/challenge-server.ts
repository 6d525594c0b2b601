import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo, Server } from 'node:net';
import type { TestContext } from 'node:test';
import { createSecureContext, createServer as createTlsServer } from 'node:tls';
import type { AcmeMaterial } from '../../src/tls/acme/acme-manager.js';

const path = '/.well-known/acme-challenge/';

/** What stands for the fronts in tests of tls/: answers the challenges that are published, on ports of its own. */
export interface ChallengeServer {
  readonly httpPort: number;
  readonly tlsPort: number;
  /** The latest of what was published. */
  readonly material: AcmeMaterial;
  publish(material: AcmeMaterial): Promise<void>;
  /** From now on the HTTP port answers as another machine would. */
  answerWrongly(): void;
}

export async function startChallengeServer(t: TestContext): Promise<ChallengeServer> {
  let material: AcmeMaterial = { certificates: [], httpChallenges: [], alpnCertificates: [] };
  let isWrong = false;
  const http = createServer((request, response) => {
    const token = request.url?.startsWith(path) === true ? request.url.slice(path.length) : '';
    const challenge = material.httpChallenges.find((each) => each.token === token);
    response.statusCode = challenge === undefined || isWrong ? 404 : 200;
    response.end(isWrong ? 'not here' : (challenge?.keyAuthorization ?? 'not here'));
  });
  const tls = createTlsServer({
    ALPNProtocols: ['acme-tls/1'],
    SNICallback(name, done) {
      const found = material.alpnCertificates.find(({ names }) => names.includes(name));
      if (found === undefined) done(new Error(`no certificate for ${name}`));
      else done(null, createSecureContext({ cert: found.certificatePem, key: found.keyPem }));
    },
  });
  tls.on('tlsClientError', () => undefined);
  return {
    httpPort: await listen(t, http),
    tlsPort: await listen(t, tls),
    get material() {
      return material;
    },
    publish: async (published) => {
      material = published;
    },
    answerWrongly: () => {
      isWrong = true;
    },
  };
}

async function listen(t: TestContext, server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => new Promise<void>((resolve) => server.close(() => resolve())));
  return (server.address() as AddressInfo).port;
}
