import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { CertificateError } from '../certificate-error.js';

/** A chain has a few kilobytes. */
const mostBytes = 1_048_576;

export interface PemFile {
  readonly path: string;
  readonly text: string;
  /** Every user of the machine may read it. */
  readonly isWorldReadable: boolean;
}

/** Reads a file of a certificate, key or passphrase. Throws CertificateError `certificate-unreadable`. */
export async function readPemFile(path: string): Promise<PemFile> {
  try {
    // O_NONBLOCK: opening a FIFO would otherwise wait until someone writes to it.
    const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      return await readWhole(path, handle);
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw unreadable(path, error as NodeJS.ErrnoException);
  }
}

// Private

async function readWhole(path: string, handle: FileHandle): Promise<PemFile> {
  const stats = await handle.stat();
  if (!stats.isFile()) throw new Error('it is not a file');
  if (stats.size > mostBytes) throw new Error('it is too large for a certificate');
  const text = await handle.readFile('latin1');
  return { path, text, isWorldReadable: (stats.mode & constants.S_IROTH) !== 0 };
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  ENOTDIR: 'there is no such file',
  EACCES: 'this user may not read it',
  ELOOP: 'its symbolic links lead in a circle',
};

/** Root's rights are given up before a certificate is read: after the first renewal they would be missing anyway. */
function copying(path: string): string {
  const uid = process.geteuid?.() ?? 'USER';
  return `sudo install -o ${uid} -m 400 ${path} FOLDER`;
}

function unreadable(path: string, error: NodeJS.ErrnoException): CertificateError {
  const reason = reasons[error.code ?? ''] ?? error.message;
  return new CertificateError('certificate-unreadable', `${path} cannot be read: ${reason}.`, {
    hint:
      error.code === 'EACCES'
        ? `give this user a copy, at each renewal (docs/https.md): ${copying(path)}`
        : undefined,
    cause: error,
  });
}
