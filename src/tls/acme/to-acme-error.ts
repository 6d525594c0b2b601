import { AcmeError } from './acme-error.js';

const forbidden = new Set(['EACCES', 'EPERM', 'EROFS', 'ENOTDIR']);
const full = new Set(['ENOSPC', 'EDQUOT']);

/** Anything that was thrown while a certificate was kept. What is no AcmeError is of the file system, as a rule. */
export function toAcmeError(error: unknown): AcmeError {
  if (error instanceof AcmeError) return error;
  const { code = '', message = String(error), path } = (error ?? {}) as Partial<NodeJS.ErrnoException>;
  const place = path === undefined ? 'The folder of the certificates' : path;
  if (full.has(code)) {
    return new AcmeError('acme-disk-full', `${place} can't be written: the disk is full.`, {
      hint: 'df -h; the order is repeated when there is room',
      cause: error,
    });
  }
  if (forbidden.has(code)) {
    return new AcmeError('acme-folder-forbidden', `${place} can't be written by this user (${code}).`, {
      hint: 'give the folder to the user that easyserve runs as, or set acmeFolder to another one',
      cause: error,
    });
  }
  const detail = error instanceof Error ? error.stack : undefined;
  return new AcmeError('acme-failed', `The order failed: ${message}`, { detail, cause: error });
}
