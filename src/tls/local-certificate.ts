import { X509Certificate } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { CertificateMaterial } from '../contracts/tls-material.js';
import { CertificateError } from './certificate-error.js';
import { type CertificatePair, readCertificatePair } from './files/certificate-pair.js';
import { readPemFile } from './files/read-pem-file.js';
import type { CertificateOrder, SigningPair } from './sign-certificate.js';
import { writeAtomically } from './write-atomically.js';

const dayMs = 86_400_000;
const authorityLifetimeMs = 10 * 365 * dayMs;
/** Apple's systems refuse more than 825 days, also from authorities that the user has added. */
const lifetimeMs = 397 * dayMs;
/** Made anew when less than this is left, so that it lasts while somebody works with it. */
const leastLeftMs = 30 * dayMs;
/** Of other machines, whose clocks may be behind. */
const earlierMs = dayMs;

export interface LocalCertificate {
  readonly material: CertificateMaterial;
  /** Milliseconds since 1970. */
  readonly notAfterMs: number;
  /** What a browser can be told to trust: the authority's certificate, without its key. */
  readonly authorityFile: string;
  /** There was no authority yet, or none that could be used: what browsers were told before counts no more. */
  readonly isNewAuthority: boolean;
}

/**
 * A certificate for development: signed by an authority of this folder alone, kept there and taken again at the next start.
 *
 * Key and certificate are in one file each, so that they are replaced together; of two that start at the same time the last
 * one's files stay, and the next start finds out whether they fit together.
 *
 * @param folder the caller's, made where it is missing
 * @param names host names and IP addresses (tls/machine-names)
 * Throws CertificateError `certificate-folder-unusable`.
 */
export async function keepLocalCertificate(
  folder: string,
  names: readonly string[],
  nowMs: number,
): Promise<LocalCertificate> {
  const authorityFile = join(folder, 'local-authority.crt');
  const kept = await readKept(join(folder, 'local-authority.pem'), nowMs, lifetimeMs);
  const authority = kept?.material ?? (await makeAuthority(folder, nowMs));
  await writeWhereMissing(authorityFile, authority.certificatePem);
  const leaf =
    (await readLeaf(folder, names, authority, nowMs)) ?? (await makeLeaf(folder, names, authority, nowMs));
  const { validTo } = new X509Certificate(leaf.certificatePem);
  return {
    material: leaf,
    notAfterMs: Date.parse(validTo),
    authorityFile,
    isNewAuthority: kept === undefined,
  };
}

// Private

/** Undefined where it is missing, damaged, or has too little time left: it is made anew then. */
async function readKept(path: string, nowMs: number, leastMs: number): Promise<CertificatePair | undefined> {
  try {
    const pair = await readCertificatePair({ cert: path }, nowMs);
    return pair.facts.notAfterMs - nowMs >= leastMs ? pair : undefined;
  } catch (error) {
    if (error instanceof CertificateError) return undefined;
    throw error;
  }
}

async function readLeaf(
  folder: string,
  names: readonly string[],
  authority: SigningPair,
  nowMs: number,
): Promise<CertificateMaterial | undefined> {
  const material = (await readKept(join(folder, 'local.pem'), nowMs, leastLeftMs))?.material;
  if (material === undefined || !names.every((name) => material.names.includes(name))) return undefined;
  const leaf = new X509Certificate(material.certificatePem);
  const isOfAuthority = leaf.verify(new X509Certificate(authority.certificatePem).publicKey);
  return isOfAuthority ? material : undefined;
}

async function makeAuthority(folder: string, nowMs: number): Promise<SigningPair> {
  const made = await sign({
    commonName: 'local development authority',
    names: [],
    isAuthority: true,
    notBeforeMs: nowMs - earlierMs,
    notAfterMs: nowMs + authorityLifetimeMs,
  });
  await write(join(folder, 'local-authority.pem'), made.keyPem + made.certificatePem);
  return made;
}

async function makeLeaf(
  folder: string,
  names: readonly string[],
  authority: SigningPair,
  nowMs: number,
): Promise<CertificateMaterial> {
  const made = await sign({
    commonName: 'local development',
    names,
    issuer: authority,
    notBeforeMs: nowMs - earlierMs,
    notAfterMs: nowMs + lifetimeMs,
  });
  const certificatePem = made.certificatePem + authority.certificatePem;
  await write(join(folder, 'local.pem'), made.keyPem + certificatePem);
  return { names, certificatePem, keyPem: made.keyPem };
}

/** Also where somebody has removed it, or a power failure came between the two files. */
async function writeWhereMissing(path: string, text: string): Promise<void> {
  const present = await readPemFile(path).catch(() => undefined);
  if (present?.text !== text) await write(path, text);
}

async function write(path: string, text: string): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await writeAtomically(path, text);
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? String(error);
    throw new CertificateError(
      'certificate-folder-unusable',
      `The certificate for development cannot be kept in ${path} (${reason}).`,
      { hint: 'make the folder writable for this user, or free some space', cause: error },
    );
  }
}

/** Its package is loaded only where a certificate is made (placeholder-certificate). */
async function sign(order: CertificateOrder): Promise<SigningPair> {
  const { signCertificate } = await import('./sign-certificate.js');
  return signCertificate(order);
}
