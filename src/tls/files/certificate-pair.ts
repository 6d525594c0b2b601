import { type KeyObject, X509Certificate } from 'node:crypto';
import { isIP, isIPv4, isIPv6, SocketAddress } from 'node:net';
import { createSecureContext } from 'node:tls';
import type { CertificateMaterial } from '../../contracts/tls-material.js';
import type { CertificateFiles } from '../../settings/themes/tls-settings.js';
import { CertificateError } from '../certificate-error.js';
import { type PemFile, readPemFile } from './read-pem-file.js';
import { readPrivateKey } from './read-private-key.js';

/** Facts of a certificate for the status and the log; plain data. */
export interface CertificateFacts {
  readonly names: readonly string[];
  /** Organisation and common name, in words: `Let's Encrypt R11`. */
  readonly issuer: string;
  /** Milliseconds since 1970. */
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

export interface CertificatePair {
  readonly material: CertificateMaterial;
  readonly facts: CertificateFacts;
  /** Sentences for the log about a pair that works, but perhaps not as intended. */
  readonly warnings: readonly string[];
}

/**
 * Reads a certificate with its key, and finds out whether it can be served at the moment `nowMs` (since 1970). The
 * chain is put into the order of TLS.
 *
 * Throws CertificateError: `certificate-unreadable`, `certificate-malformed`, `certificate-key-malformed`,
 * `certificate-key-mismatch`, `passphrase-missing`, `passphrase-wrong`, `certificate-refused`, `certificate-expired`,
 * `certificate-not-yet-valid`.
 */
export async function readCertificatePair(files: CertificateFiles, nowMs: number): Promise<CertificatePair> {
  const certFile = await readPemFile(files.cert);
  const keyFile = files.key === undefined ? certFile : await readPemFile(files.key);
  const passphrase = files.passphraseFile && (await readPemFile(files.passphraseFile)).text;
  const certificates = parseCertificates(certFile);
  const key = readPrivateKey(keyFile, passphrase?.split(/\r?\n/, 1)[0]);
  const leaf = findLeaf(certificates, key, certFile, keyFile);
  const { chain, left } = orderChain(leaf, certificates);
  const facts = describeCertificate(leaf);
  const material: CertificateMaterial = {
    names: facts.names,
    certificatePem: chain.map((certificate) => certificate.toString()).join(''),
    keyPem: key.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
  requireUsable(material, certFile);
  requireValidAt(nowMs, facts, certFile);
  return { material, facts, warnings: findWarnings({ certFile, keyFile, facts, leaf, chain, left }) };
}

export function describeCertificate(certificate: X509Certificate): CertificateFacts {
  return {
    names: namesOfCertificate(certificate),
    issuer: describeIssuer(certificate),
    notBeforeMs: Date.parse(certificate.validFrom),
    notAfterMs: Date.parse(certificate.validTo),
  };
}

// Private

const block = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

function parseCertificates(file: PemFile): readonly X509Certificate[] {
  const blocks = file.text.match(block);
  if (blocks === null) {
    throw new CertificateError('certificate-malformed', `${file.path} holds no certificate in PEM form.`, {
      hint: `a DER file becomes one by: openssl x509 -inform der -in ${file.path}`,
    });
  }
  return blocks.map((pem, index) => {
    try {
      return new X509Certificate(pem);
    } catch (error) {
      const which = blocks.length === 1 ? 'The certificate' : `Certificate ${index + 1}`;
      throw new CertificateError('certificate-malformed', `${which} in ${file.path} is damaged.`, {
        hint: `openssl x509 -noout -text -in ${file.path} says more`,
        cause: error,
      });
    }
  });
}

function findLeaf(
  certificates: readonly X509Certificate[],
  key: KeyObject,
  certFile: PemFile,
  keyFile: PemFile,
): X509Certificate {
  const leaf = certificates.find((certificate) => certificate.checkPrivateKey(key));
  if (leaf !== undefined) return leaf;
  throw new CertificateError(
    'certificate-key-mismatch',
    `The private key in ${keyFile.path} does not belong to the certificate in ${certFile.path}.`,
    {
      hint: `these two must print the same: openssl x509 -noout -pubkey -in ${certFile.path}, openssl pkey -pubout -in ${keyFile.path}`,
    },
  );
}

function describeIssuer(certificate: X509Certificate): string {
  const parts = new Map(
    certificate.issuer.split('\n').map((line) => {
      const mark = line.indexOf('=');
      return [line.slice(0, mark), line.slice(mark + 1)] as const;
    }),
  );
  const words = [parts.get('O'), parts.get('CN')].filter((part) => part !== undefined);
  return words.length === 0 ? certificate.issuer.replaceAll('\n', ', ') : words.join(' ');
}

/** Not every key that can be read can be served: OpenSSL refuses short RSA keys, and signatures by MD5. */
function requireUsable(material: CertificateMaterial, file: PemFile): void {
  try {
    createSecureContext({ cert: material.certificatePem, key: material.keyPem });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CertificateError(
      'certificate-refused',
      `OpenSSL refuses to serve the certificate in ${file.path}: ${reason}`,
      { hint: 'get one with an ECDSA P-256 key, or RSA of 2048 bits or more', cause: error },
    );
  }
}

function requireValidAt(nowMs: number, facts: CertificateFacts, file: PemFile): void {
  if (nowMs > facts.notAfterMs) {
    throw new CertificateError(
      'certificate-expired',
      `The certificate in ${file.path} has expired on ${toDay(facts.notAfterMs)}.`,
      { hint: 'put the renewed one in its place; it is noticed' },
    );
  }
  if (nowMs < facts.notBeforeMs) {
    throw new CertificateError(
      'certificate-not-yet-valid',
      `The certificate in ${file.path} is valid from ${toDay(facts.notBeforeMs)} on, and by the clock of this machine it is ${toDay(nowMs)}.`,
      { hint: 'timedatectl shows whether the clock is right' },
    );
  }
}

function toDay(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

interface Findings {
  readonly certFile: PemFile;
  readonly keyFile: PemFile;
  readonly facts: CertificateFacts;
  readonly leaf: X509Certificate;
  readonly chain: readonly X509Certificate[];
  readonly left: readonly X509Certificate[];
}

function findWarnings(found: Findings): string[] {
  const { certFile, keyFile, facts, leaf, chain, left } = found;
  const warnings: string[] = [];
  if (keyFile.isWorldReadable) {
    warnings.push(`every user of this machine can read the private key: chmod o-r ${keyFile.path}`);
  }
  if (!facts.names.some((name) => isIP(name) === 0)) {
    warnings.push(`the certificate in ${certFile.path} has no host name (subjectAltName)`);
  }
  if (chain.length === 1 && leaf.issuer !== leaf.subject) {
    warnings.push(
      `${certFile.path} holds the certificate without that of its issuer, ${facts.issuer}; visitors need it too, unless it is a root`,
    );
  }
  if (left.length > 0) {
    warnings.push(`${certFile.path} holds certificates that issued none of the others; they are left out`);
  }
  return warnings;
}

interface OrderedChain {
  /** The leaf, then each one's issuer (RFC 8446 section 4.4.2), as far as they are known. */
  readonly chain: readonly X509Certificate[];
  /** Those that are not part of it. */
  readonly left: readonly X509Certificate[];
}

/** Makes a chain of certificates in any order. */
function orderChain(leaf: X509Certificate, certificates: readonly X509Certificate[]): OrderedChain {
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

function isIssuedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  if (!certificate.checkIssued(issuer)) return false;
  try {
    return certificate.verify(issuer.publicKey);
  } catch {
    return false; // a kind of key that OpenSSL cannot read has signed nothing that it can verify
  }
}

/** A host name in its ASCII form, perhaps with a wildcard for its first label (RFC 9525 section 6.3). */
const dnsName =
  /^(?:\*\.)?(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/;

/** `DNS:a.example, IP Address:192.0.2.1`; values with anything strange are in quotes (Node doc, subjectAltName). */
const entry = /(?:^|, )([A-Za-z ]+):("(?:[^"\\]|\\.)*"|[^,]*)/g;

/** The host names and IP addresses that a certificate is for, lower case, in its order. Empty without subjectAltName. */
function namesOfCertificate(certificate: X509Certificate): readonly string[] {
  const names = new Set<string>();
  for (const [, kind, value = ''] of (certificate.subjectAltName ?? '').matchAll(entry)) {
    const name = kind === 'DNS' ? toDnsName(value) : kind === 'IP Address' ? toAddress(value) : undefined;
    if (name !== undefined) names.add(name);
  }
  return [...names];
}

function toDnsName(value: string): string | undefined {
  const name = value.toLowerCase();
  return dnsName.test(name) ? name : undefined;
}

/** OpenSSL writes an IPv6 address with all its zeros. */
function toAddress(value: string): string | undefined {
  if (isIPv4(value)) return value;
  return isIPv6(value) ? new SocketAddress({ address: value, family: 'ipv6' }).address : undefined;
}
