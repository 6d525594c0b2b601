import { X509Certificate } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import type { CertificateMaterial } from '../contracts/tls-material.js';
import { writeAtomically } from '../control/write-atomically.js';
import { CertificateError } from './certificate-error.js';
import { type CertificatePair, readCertificatePair } from './files/certificate-pair.js';
import { readPemFile } from './files/read-pem-file.js';
import type { CertificateOrder, SigningPair } from './sign-certificate.js';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const authorityLifetimeMs = 10 * 365 * dayMs;
/** Apple's systems refuse more than 825 days, also from authorities that the user has added. */
const lifetimeMs = 397 * dayMs;
/** Made anew when less than this is left, so that it lasts while somebody works with it. */
const leastLeftMs = 30 * dayMs;
/** Clocks of other machines may be behind. */
const earlierMs = dayMs;
/** It must not expire in a long outage of the CA; it is made anew at each start. */
const placeholderLifetimeMs = 10 * 365 * dayMs;

export interface LocalCertificate {
  readonly material: CertificateMaterial;
  /** What a browser can be told to trust: the authority's certificate, without its key. */
  readonly authorityFile: string;
  /** There was no authority yet, or none that could be used: browsers have to be told anew. */
  readonly isNewAuthority: boolean;
}

/**
 * A certificate for development: signed by an authority of this folder alone, kept there for the next start.
 *
 * Key and certificate are in one file each, so that they are replaced together; of two instances that start at the same time the
 * files of the last one stay, and the next start finds out whether they fit together.
 *
 * @param folder the caller's, made where it is missing
 * @param names host names and IP addresses (machineNames)
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
  return { material: leaf, authorityFile, isNewAuthority: kept === undefined };
}

/**
 * What a person types to reach a site on their own machine. A machine without a domain is found
 * by others of the house under `.local` (RFC 6762).
 */
export function machineNames(machine: string = hostname()): readonly string[] {
  const own = machine.toLowerCase();
  const usual = ['localhost', '127.0.0.1', '::1'];
  if (!plainName.test(own) || own === 'localhost') return usual;
  return own.includes('.') ? [...usual, own] : [...usual, own, `${own}.local`];
}

/**
 * A certificate that nobody trusts, to serve HTTPS with until there is a real one; kept in memory only.
 *
 * @param names host names and IP addresses; may be empty
 */
export async function makePlaceholder(names: readonly string[], nowMs: number): Promise<CertificateMaterial> {
  const made = await sign({
    commonName: 'placeholder until there is a certificate',
    names,
    notBeforeMs: nowMs - hourMs,
    notAfterMs: nowMs + placeholderLifetimeMs,
  });
  return { names, ...made };
}

// Private

/** RFC 1123 section 2.1. */
const plainName = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*$/;

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
      { hint: 'another folder, which this user may write: --set acmeFolder=/tmp/certificates', cause: error },
    );
  }
}

/** Loaded here only: its package costs 90 ms and 20 MB. */
async function sign(order: CertificateOrder): Promise<SigningPair> {
  const { signCertificate } = await import('./sign-certificate.js');
  return signCertificate(order);
}
