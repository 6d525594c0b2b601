import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Log } from '../log/log.js';

const PAGE = /^([45]\d\d|4xx|5xx|error)\.html$/;
const MOST_BYTES = 1_048_576;

/** The pages of the setting `errorPages`, in memory, because they are needed when a disk may be full or descriptors out. */
export async function readErrorPages(folder: string | null, log: Log): Promise<ReadonlyMap<string, string>> {
  const pages = new Map<string, string>();
  if (folder === null) return pages;
  try {
    for (const name of await readdir(folder)) {
      const key = PAGE.exec(name)?.[1];
      if (key === undefined) continue;
      const bytes = await readFile(join(folder, name));
      if (bytes.length > MOST_BYTES) throw new Error(`${name} is larger than 1 MiB`);
      pages.set(key, bytes.toString('utf8'));
    }
    if (pages.size === 0) throw new Error('there is none named like 404.html, 5xx.html or error.html');
  } catch (error) {
    const message = 'error pages of your own could not be read: those of easyserve are shown instead';
    log.warn('error-pages-unread', message, { folder, error: (error as Error).message });
  }
  return pages;
}
