import { createHash } from 'node:crypto';
import { chmod, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../contracts/clock.js';
import { readTextFile } from '../../contracts/read-file.js';
import type { CertificateMaterial } from '../../contracts/tls-material.js';
import { createAtomically, writeAtomically } from '../../control/write-atomically.js';
import type { Log } from '../../log/log.js';
import { makePrivateKey } from '../make-private-key.js';
import { parseJson } from './acme-problem.js';
import { type IssuedCertificate, readIssuedCertificate } from './issued-certificate.js';
import { OrderLock } from './order-lock.js';
import { emptyRecord, type OrderRecord, readOrderRecord } from './order-record.js';

/**
 * Everything of ACME that outlives the process: accounts, certificates with their keys, and how the last orders went.
 * Several instances may share one folder.
 *
 *   <folder>/<directory>/account.key         PEM, made before the account is registered, so that none is lost
 *   <folder>/<directory>/account.json        the account's URL
 *   <folder>/<directory>/<name>.pem          key and chain in one file, so that they can't be of two certificates
 *   <folder>/<directory>/<name>.json         the last order (OrderRecord)
 *   <folder>/<directory>/<name>.lock         who orders
 *
 * Folders are 0700, files 0600. What can't be read is moved aside, never deleted.
 */
export class CertificateFolder {
  readonly #path: string;
  readonly #log: Log;

  constructor(path: string, log: Log) {
    this.#path = path;
    this.#log = log;
  }

  /** Throws what the file system says where nothing can be written, or the disk is full. */
  async proveWritable(directoryUrl: string): Promise<void> {
    await this.#prepare(directoryUrl);
    const probe = join(this.#folderOf(directoryUrl), `.probe-${process.pid}-${process.hrtime.bigint()}`);
    // More than a certificate with its key needs.
    await writeAtomically(probe, ' '.repeat(32_768));
    await rm(probe, { force: true });
  }

  lockFor(directoryUrl: string, names: readonly string[], clock: Clock): OrderLock {
    return new OrderLock(`${this.#baseOf(directoryUrl, names)}.lock`, clock);
  }

  /** Also one that has expired. undefined where there is none that can be read. */
  async readCertificate(
    directoryUrl: string,
    names: readonly string[],
  ): Promise<IssuedCertificate | undefined> {
    const path = `${this.#baseOf(directoryUrl, names)}.pem`;
    const text = await readIfThere(path);
    if (text === undefined) return undefined;
    try {
      return parseCertificate(text, names);
    } catch (error) {
      await this.#setAside(path, error);
      return undefined;
    }
  }

  /** That of another directory that lasts longest: when acmeDirectory was changed it is better than none. */
  async readFormerCertificate(
    directoryUrl: string,
    names: readonly string[],
  ): Promise<IssuedCertificate | undefined> {
    const own = slugOf(directoryUrl);
    const found: IssuedCertificate[] = [];
    for (const slug of await listFolders(this.#path)) {
      if (slug === own) continue;
      const text = await readIfThere(join(this.#path, slug, `${fileNameOf(names)}.pem`));
      try {
        if (text !== undefined) found.push(parseCertificate(text, names));
      } catch {
        // It is set aside when its own directory is in use again.
      }
    }
    return found.sort((a, b) => b.notAfterMs - a.notAfterMs)[0];
  }

  /**
   * What earlier orders have left for these names (lower case), so that nobody gets a placeholder while renewal begins. What
   * can't be read is left to the renewal job, which says why.
   */
  async readKept(directoryUrl: string, names: readonly string[]): Promise<readonly CertificateMaterial[]> {
    const readings = names.map(
      async (name) =>
        (await this.readCertificate(directoryUrl, [name])) ??
        (await this.readFormerCertificate(directoryUrl, [name])),
    );
    return (await Promise.allSettled(readings))
      .flatMap((result) => (result.status === 'fulfilled' ? (result.value ?? []) : []))
      .map(({ names: its, certificatePem, keyPem }) => ({ names: its, certificatePem, keyPem }));
  }

  async writeCertificate(directoryUrl: string, certificate: IssuedCertificate): Promise<void> {
    await this.#prepare(directoryUrl);
    const { names, keyPem, certificatePem } = certificate;
    await writeAtomically(`${this.#baseOf(directoryUrl, names)}.pem`, `${keyPem.trim()}\n${certificatePem}`);
  }

  async readRecord(directoryUrl: string, names: readonly string[]): Promise<OrderRecord> {
    const path = `${this.#baseOf(directoryUrl, names)}.json`;
    const text = await readIfThere(path);
    if (text === undefined) return emptyRecord;
    try {
      return readOrderRecord(JSON.parse(text));
    } catch (error) {
      await this.#setAside(path, error);
      return emptyRecord;
    }
  }

  async writeRecord(directoryUrl: string, names: readonly string[], record: OrderRecord): Promise<void> {
    await this.#prepare(directoryUrl);
    await writeAtomically(
      `${this.#baseOf(directoryUrl, names)}.json`,
      `${JSON.stringify(record, null, 2)}\n`,
    );
  }

  /** The key of the account, made where there is none. Of two processes that make one both get the same. */
  async accountKey(directoryUrl: string): Promise<string> {
    await this.#prepare(directoryUrl);
    const path = join(this.#folderOf(directoryUrl), 'account.key');
    const found = await readIfThere(path);
    if (found !== undefined) return found;
    await createAtomically(path, await makePrivateKey('ecdsa'));
    return readTextFile(path);
  }

  /** Where the CA keeps the account; undefined where it is not registered yet. */
  async readAccountUrl(directoryUrl: string): Promise<string | undefined> {
    const text = await readIfThere(join(this.#folderOf(directoryUrl), 'account.json'));
    const account = text === undefined ? undefined : parseJson(text);
    if (typeof account !== 'object' || account === null || !('url' in account)) return undefined;
    return typeof account.url === 'string' ? account.url : undefined;
  }

  async writeAccountUrl(directoryUrl: string, url: string): Promise<void> {
    const path = join(this.#folderOf(directoryUrl), 'account.json');
    await writeAtomically(path, `${JSON.stringify({ directory: directoryUrl, url }, null, 2)}\n`);
  }

  // Private

  #folderOf(directoryUrl: string): string {
    return join(this.#path, slugOf(directoryUrl));
  }

  #baseOf(directoryUrl: string, names: readonly string[]): string {
    return join(this.#folderOf(directoryUrl), fileNameOf(names));
  }

  async #prepare(directoryUrl: string): Promise<void> {
    const folder = this.#folderOf(directoryUrl);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    // It may have existed before, open to others. The folder above it is not ours to change.
    await chmod(folder, 0o700);
  }

  async #setAside(path: string, error: unknown): Promise<void> {
    const aside = `${path}.unreadable-${Date.now()}`;
    const reason = error instanceof Error ? error.message : String(error);
    await rename(path, aside);
    this.#log.error('certificate-damaged', `${path} can't be used (${reason}), and is now ${aside}`, {
      path: aside,
      error: reason,
    });
  }
}

/** Where a user's state goes: the XDG Base Directory Specification, and for root the folder of services (FHS section 5.8). */
export interface UserFolders {
  readonly isRoot: boolean;
  readonly home: string;
  /** $XDG_STATE_HOME */
  readonly stateHome: string | undefined;
  /** $STATE_DIRECTORY, which systemd sets for StateDirectory= (systemd.exec(5)); several are separated by colons. */
  readonly stateDirectory: string | undefined;
}

/**
 * The folder of certificates while acmeFolder is not set: of the user, not of the project, so that a new checkout orders
 * nothing anew.
 */
export function defaultCertificateFolder({ isRoot, home, stateHome, stateDirectory }: UserFolders): string {
  const ofService = stateDirectory?.split(':')[0];
  if (ofService) return join(ofService, 'certificates');
  if (isRoot) return '/var/lib/easyserve/certificates';
  // The specification says that relative paths in it are invalid and to be ignored.
  const base = stateHome?.startsWith('/') ? stateHome : join(home, '.local', 'state');
  return join(base, 'easyserve', 'certificates');
}

// Private

/** `acme-v02.api.letsencrypt.org-ab12cd34`: a host may have several directories. */
function slugOf(directoryUrl: string): string {
  const host = new URL(directoryUrl).host.replace(/[^a-z0-9.-]/gi, '-');
  return `${host}-${shortHash(directoryUrl)}`;
}

function fileNameOf(names: readonly string[]): string {
  const sorted = [...names].sort();
  const [first = ''] = sorted;
  return sorted.length === 1 ? first : `${first}-${shortHash(sorted.join(' '))}`;
}

function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 8);
}

/** Throws where the file holds something else. */
function parseCertificate(text: string, names: readonly string[]): IssuedCertificate {
  const mark = text.indexOf('-----BEGIN CERTIFICATE-----');
  if (mark < 0) throw new Error('it holds no certificate');
  return readIssuedCertificate(text.slice(mark), text.slice(0, mark), names);
}

/** Throws every error but that the file is missing. */
async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readTextFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

async function listFolders(path: string): Promise<string[]> {
  try {
    const entries = await readdir(path, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
