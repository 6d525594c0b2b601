import { constants } from 'node:fs';
import { open } from 'node:fs/promises';

/** As far back as a log file is looked at. */
const mostBytes = 1024 * 1024;

/**
 * The last whole lines of a log file, the oldest first; undefined where it can't be read. What stands in its place is not waited
 * for: a FIFO would need a writer (fifo(7)).
 */
export async function readLastLines(path: string, count: number): Promise<string[] | undefined> {
  const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY).catch(
    () => undefined,
  );
  if (handle === undefined) return undefined;
  try {
    const stats = await handle.stat();
    if (!stats.isFile()) return undefined;
    const from = Math.max(0, stats.size - mostBytes);
    const { buffer, bytesRead } = await handle.read(
      Buffer.alloc(stats.size - from),
      0,
      stats.size - from,
      from,
    );
    const lines = buffer.subarray(0, bytesRead).toString('utf8').split('\n');
    const whole = lines.slice(from === 0 ? 0 : 1, -1);
    return count === 0 ? [] : whole.slice(-count);
  } catch {
    return undefined;
  } finally {
    await handle.close();
  }
}
