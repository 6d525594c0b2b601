import { createPrivateKey, KeyObject, randomBytes, webcrypto } from 'node:crypto';
import { isIP } from 'node:net';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  cryptoProvider,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  type Extension,
  type JsonName,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509';

/** Certificates that easyserve signs by itself; the only import of @peculiar/x509. */
export interface CertificateOrder {
  readonly commonName: string;
  /** Host names and IP addresses; none for an authority. */
  readonly names: readonly string[];
  /** Milliseconds since 1970. */
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  /** May sign certificates of servers. */
  readonly isAuthority?: boolean;
  /** Undefined: signed with its own key. */
  readonly issuer?: SigningPair | undefined;
}

/** Both PEM; the first certificate is the one that the key belongs to. */
export interface SigningPair {
  readonly certificatePem: string;
  readonly keyPem: string;
}

/** Every browser and client supports it. */
const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

cryptoProvider.set(webcrypto);

/** Makes a key and a certificate for it. The result is that certificate alone, without its issuer's. */
export async function signCertificate(order: CertificateOrder): Promise<SigningPair> {
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const issuer = order.issuer && new X509Certificate(order.issuer.certificatePem);
  const subject: JsonName = [{ O: ['easyserve'] }, { CN: [order.commonName] }];
  const certificate = await X509CertificateGenerator.create({
    serialNumber: randomSerial(),
    subject,
    issuer: issuer?.subjectName ?? subject,
    notBefore: new Date(order.notBeforeMs),
    notAfter: new Date(order.notAfterMs),
    signingAlgorithm: algorithm,
    publicKey: keys.publicKey,
    signingKey: order.issuer ? await importKey(order.issuer.keyPem) : keys.privateKey,
    extensions: await extensionsOf(order, keys.publicKey, issuer),
  });
  return { certificatePem: `${certificate.toString('pem')}\n`, keyPem: exportKey(keys.privateKey) };
}

// Private

/** RFC 5280 section 4.2. */
async function extensionsOf(
  order: CertificateOrder,
  publicKey: webcrypto.CryptoKey,
  issuer: X509Certificate | undefined,
): Promise<Extension[]> {
  const isAuthority = order.isAuthority === true;
  const usage = isAuthority
    ? KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign
    : KeyUsageFlags.digitalSignature;
  return [
    new BasicConstraintsExtension(isAuthority, isAuthority ? 0 : undefined, true),
    new KeyUsagesExtension(usage, true),
    await SubjectKeyIdentifierExtension.create(publicKey),
    ...(issuer ? [await AuthorityKeyIdentifierExtension.create(issuer)] : []),
    ...(isAuthority ? [] : [new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth])]),
    ...(order.names.length === 0
      ? []
      : [
          new SubjectAlternativeNameExtension(
            order.names.map((value) => ({ type: isIP(value) === 0 ? 'dns' : 'ip', value })),
          ),
        ]),
  ];
}

/** Positive, as RFC 5280 section 4.1.2.2 asks for, and without a leading zero byte. */
function randomSerial(): string {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return bytes.toString('hex');
}

function exportKey(key: webcrypto.CryptoKey): string {
  return KeyObject.from(key).export({ type: 'pkcs8', format: 'pem' }).toString();
}

function importKey(keyPem: string): Promise<webcrypto.CryptoKey> {
  const der = createPrivateKey(keyPem).export({ type: 'pkcs8', format: 'der' });
  return webcrypto.subtle.importKey('pkcs8', der, algorithm, false, ['sign']);
}
