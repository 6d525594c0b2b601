import { readFile } from 'node:fs/promises';

/** Size of a page on every Linux that Node runs on, except some 64-bit ARM and POWER kernels; exact enough for a limit. */
const PAGE_BYTES = 4096;

/** Resident size of a process (proc(5), statm); undefined where the system does not tell, or the process is gone. */
export async function readRssBytes(pid: number): Promise<number | undefined> {
  try {
    const fields = (await readFile(`/proc/${pid}/statm`, 'ascii')).split(' ');
    return Number(fields[1]) * PAGE_BYTES;
  } catch {
    return undefined;
  }
}
