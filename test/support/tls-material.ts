import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { CertificateMaterial, TlsMaterial } from '../../src/contracts/tls-material.js';
import { type CertificateOrder, signCertificate } from '../../src/tls/sign-certificate.js';
import { makeTicketKeys } from '../../src/tls/ticket-keys.js';
import { makeFileTree } from './file-tree.js';
import { runOpenssl } from './openssl.js';

const dayMs = 86_400_000;

/** A certificate for these names, from yesterday to tomorrow unless the order says otherwise; its subject is its first name. */
export async function makeCertificate(
  names: readonly string[],
  order: Partial<CertificateOrder> = {},
): Promise<CertificateMaterial> {
  const nowMs = Date.now();
  const pair = await signCertificate({
    commonName: names[0] ?? 'nobody',
    names,
    notBeforeMs: nowMs - dayMs,
    notAfterMs: nowMs + dayMs,
    ...order,
  });
  return { names, ...pair };
}

export function makeMaterial(
  certificates: readonly CertificateMaterial[],
  more: Partial<TlsMaterial> = {},
): TlsMaterial {
  return {
    certificates,
    httpChallenges: [],
    alpnCertificates: [],
    ticketKeys: makeTicketKeys(),
    securedNames: [],
    hstsMaxAgeSeconds: undefined,
    publicPort: 443,
    ...more,
  };
}

/** The same with an RSA key, made by openssl. */
export async function makeRsaCertificate(t: TestContext, name: string): Promise<CertificateMaterial> {
  const folder = await makeFileTree(t, {});
  const [key, cert] = [join(folder, 'rsa.key'), join(folder, 'rsa.pem')];
  const made = await runOpenssl(
    `req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=${name} -keyout ${key} -out ${cert}`.split(' '),
  );
  if (made.code !== 0) throw new Error(made.output);
  return {
    names: [name],
    certificatePem: readFileSync(cert, 'utf8'),
    keyPem: readFileSync(key, 'utf8'),
  };
}
