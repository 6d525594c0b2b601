import { createHash, createPrivateKey, X509Certificate } from 'node:crypto';
import { describeCertificate } from '../files/certificate-pair.js';

/** A certificate as a CA gave it, with what decides about its renewal. */
export interface IssuedCertificate {
  /** Lower case, sorted. */
  readonly names: readonly string[];
  /** The chain, this certificate first. */
  readonly certificatePem: string;
  readonly keyPem: string;
  readonly issuer: string;
  /** Milliseconds since 1970. */
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  /** 0 to 1, from the hash of the certificate: the same after a restart and in every instance. */
  readonly chance: number;
  /** What renewalInfo is asked for (RFC 9773 section 4.1); undefined where the certificate has no key identifier. */
  readonly renewalId: string | undefined;
}

/** Throws where a part can't be read, the key belongs to another certificate, or a name is missing. */
export function readIssuedCertificate(
  certificatePem: string,
  keyPem: string,
  names: readonly string[],
): IssuedCertificate {
  const certificate = new X509Certificate(certificatePem);
  if (!certificate.checkPrivateKey(createPrivateKey(keyPem))) {
    throw new Error('the key belongs to another certificate');
  }
  for (const name of names) {
    if (certificate.checkHost(name, { subject: 'never' }) === undefined) {
      throw new Error(`the certificate is not for ${name}`);
    }
  }
  const hash = createHash('sha256').update(certificate.raw).digest();
  const { issuer, notBeforeMs, notAfterMs } = describeCertificate(certificate);
  return {
    names: [...names].sort(),
    certificatePem,
    keyPem,
    issuer,
    notBeforeMs,
    notAfterMs,
    chance: hash.readUInt32BE() / 2 ** 32,
    renewalId: renewalIdOf(certificate),
  };
}

// Private

/** base64url of the issuer's key identifier and of the serial number, each as its DER bytes. */
function renewalIdOf(certificate: X509Certificate): string | undefined {
  const keyIdentifier = authorityKeyIdentifier(certificate.raw);
  if (keyIdentifier === undefined) return undefined;
  const digits = certificate.serialNumber;
  const even = digits.length % 2 === 0 ? digits : `0${digits}`;
  // DER integers are signed: one that begins with a set bit gets a zero byte.
  const serial = Buffer.from(/^[89A-F]/i.test(even) ? `00${even}` : even, 'hex');
  return `${keyIdentifier.toString('base64url')}.${serial.toString('base64url')}`;
}

/**
 * Of extension 2.5.29.35 (RFC 5280 section 4.2.1.1), which Node doesn't offer: its object identifier, then an OCTET STRING with a
 * SEQUENCE that begins with [0], the key identifier. All lengths are below 128 there.
 */
function authorityKeyIdentifier(der: Buffer): Buffer | undefined {
  const identifier = Buffer.from('0603551d23', 'hex');
  const at = der.indexOf(identifier);
  if (at < 0) return undefined;
  const value = der.subarray(at + identifier.length);
  const [octets, , sequence, , context, length] = value;
  if (octets !== 0x04 || sequence !== 0x30 || context !== 0x80 || length === undefined) return undefined;
  const found = value.subarray(6, 6 + length);
  return length > 0 && length < 0x80 && found.length === length ? Buffer.from(found) : undefined;
}
