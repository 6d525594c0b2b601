import type { X509Certificate } from 'node:crypto';

export interface OrderedChain {
  /** The leaf, then each one's issuer (RFC 8446 section 4.4.2), as far as they are known. */
  readonly chain: readonly X509Certificate[];
  /** Those that have no place in it. */
  readonly left: readonly X509Certificate[];
}

/** Makes a chain of certificates in any order. Used by tls/certificate-pair. */
export function orderChain(leaf: X509Certificate, certificates: readonly X509Certificate[]): OrderedChain {
  const chain = [leaf];
  let left = certificates.filter((certificate) => !certificate.raw.equals(leaf.raw));
  for (let last = leaf; !isIssuedBy(last, last); ) {
    const issuer = left.find((candidate) => isIssuedBy(last, candidate));
    if (issuer === undefined) break;
    chain.push(issuer);
    left = left.filter((certificate) => !certificate.raw.equals(issuer.raw));
    last = issuer;
  }
  return { chain, left };
}

// Private

function isIssuedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  if (!certificate.checkIssued(issuer)) return false;
  try {
    return certificate.verify(issuer.publicKey);
  } catch {
    return false; // a kind of key that OpenSSL cannot read has signed nothing that it can verify
  }
}
