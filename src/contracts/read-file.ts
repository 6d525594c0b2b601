import { closeSync, constants, fstatSync, openSync, readFileSync, type Stats } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';

/**
 * How a file is opened whose path somebody else may have prepared: a FIFO would wait for its writer (fifo(7)) without O_NONBLOCK,
 * a terminal become ours without O_NOCTTY (open(2)). What was opened is looked at through its descriptor, so that nothing can be
 * put in its place between look and read. Links are followed, with the rights of whoever reads.
 */
const flags = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY;

/** Default of `mostBytes`: what people write by hand, and what easyserve writes, is far smaller. */
const usualMostBytes = 4 * 1024 * 1024;

/** UTF-8. Rejects with what open(2) says, EISDIR for a folder, EINVAL for what else is no file, EFBIG for more than `mostBytes`. */
export async function readTextFile(path: string, mostBytes = usualMostBytes): Promise<string> {
  const handle: FileHandle = await open(path, flags);
  try {
    const stats = await handle.stat();
    requireReadable(path, stats, mostBytes);
    return await handle.readFile('utf8');
  } finally {
    await handle.close();
  }
}

/** The same at once, as bytes. */
export function readFileBytes(path: string, mostBytes = usualMostBytes): Buffer {
  const fd = openSync(path, flags);
  try {
    const stats = fstatSync(fd);
    requireReadable(path, stats, mostBytes);
    return readFileSync(fd);
  } finally {
    closeSync(fd);
  }
}

// Private

function requireReadable(path: string, stats: Stats, mostBytes: number): void {
  if (stats.isDirectory()) throw refusal(`${path} is a folder`, 'EISDIR');
  if (!stats.isFile()) throw refusal(`${path} is not a file`, 'EINVAL');
  if (stats.size > mostBytes) throw refusal(`${path} is too large`, 'EFBIG');
}

function refusal(message: string, code: string): NodeJS.ErrnoException {
  return Object.assign(new Error(message), { code });
}
