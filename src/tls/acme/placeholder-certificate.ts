import type { CertificateMaterial } from '../../contracts/tls-material.js';

const hourMs = 3_600_000;
/** It is made anew at each start; one that ran out in a long outage of the CA would only add to the confusion. */
const lifetimeMs = 10 * 365 * 24 * hourMs;

/**
 * A certificate that nobody trusts, to serve HTTPS with until there is a real one. Made by whoever puts the
 * TlsMaterial together; kept in memory only.
 *
 * @param names host names and IP addresses; may be empty
 */
export async function makePlaceholder(names: readonly string[], nowMs: number): Promise<CertificateMaterial> {
  // Its package costs 90 ms and 20 MB, which sites without HTTPS are spared.
  const { signCertificate } = await import('../sign-certificate.js');
  const pair = await signCertificate({
    commonName: 'placeholder until there is a certificate',
    names,
    notBeforeMs: nowMs - hourMs,
    notAfterMs: nowMs + lifetimeMs,
  });
  return { names, ...pair };
}
