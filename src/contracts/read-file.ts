import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';

/**
 * How a file is opened whose path somebody else may have prepared: a FIFO would wait for its writer (fifo(7)) without O_NONBLOCK,
 * a terminal become ours without O_NOCTTY (open(2)). What was opened is looked at through its descriptor, so that nothing can be
 * put in its place between look and read. Links are followed, with the rights of whoever reads.
 */
const flags = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY;

/** Default of `mostBytes`: what people write by hand, and what easyserve writes, is far smaller. */
const usualMostBytes = 4 * 1024 * 1024;

/** UTF-8. Rejects with what open(2) says, with code EINVAL for what is not a file, with EFBIG for more than `mostBytes`. */
export async function readTextFile(path: string, mostBytes = usualMostBytes): Promise<string> {
  const handle: FileHandle = await open(path, flags);
  try {
    const stats = await handle.stat();
    requireReadable(path, stats.isFile(), stats.size > mostBytes);
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
    requireReadable(path, stats.isFile(), stats.size > mostBytes);
    return readFileSync(fd);
  } finally {
    closeSync(fd);
  }
}

// Private

function requireReadable(path: string, isFile: boolean, isTooLarge: boolean): void {
  if (!isFile) throw Object.assign(new Error(`${path} is not a file`), { code: 'EINVAL' });
  if (isTooLarge) throw Object.assign(new Error(`${path} is too large`), { code: 'EFBIG' });
}
