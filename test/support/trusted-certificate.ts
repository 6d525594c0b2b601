import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { makeTempDir } from './copy-fixture.js';
import { makeCertificate } from './tls-material.js';

export interface TrustedCertificate {
  /** PEM file of who signed it: for openBrowser. */
  readonly trustedRoot: string;
  /** HTTPS with it, on any free port. */
  readonly settings: Readonly<Record<string, unknown>>;
}

/** A certificate for `localhost`, signed by a root of the test's own. */
export async function makeTrustedCertificate(t: TestContext): Promise<TrustedCertificate> {
  const folder = makeTempDir(t);
  const root = await makeCertificate([], { commonName: 'easyserve test root', isAuthority: true });
  const site = await makeCertificate(['localhost'], { issuer: root });
  const [trustedRoot, cert, key] = ['root.crt', 'site.crt', 'site.key'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  writeFileSync(trustedRoot, root.certificatePem);
  writeFileSync(cert, site.certificatePem);
  writeFileSync(key, site.keyPem, { mode: 0o600 });
  return { trustedRoot, settings: { httpsPort: 0, tlsCert: cert, tlsKey: key } };
}
