import { mkdir, mkdtemp, readdir, readlink, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';

/**
 * A new folder with these files, by path below it; removed when the test ends. Their time is a fixed one in
 * 2024.
 */
export async function makeFileTree(
  t: TestContext,
  files: Readonly<Record<string, string | Buffer>>,
): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'easyserve-files-'));
  t.after(() => rm(root, { recursive: true, force: true }));
  for (const [below, content] of Object.entries(files)) await putFile(join(root, below), content);
  return root;
}

export const fileTime = new Date('2024-05-01T10:00:00Z');

export async function putFile(path: string, content: string | Buffer, modified = fileTime): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, content);
  await utimes(path, modified, modified);
}

/** How many descriptors of this process are open on files below the folder. Linux only. */
export async function countOpenFiles(root: string): Promise<number> {
  const descriptors = await readdir('/proc/self/fd');
  const targets = await Promise.all(
    // The descriptor that reads the list is closed by now.
    descriptors.map((descriptor) => readlink(`/proc/self/fd/${descriptor}`).catch(() => '')),
  );
  return targets.filter((target) => target.startsWith(root)).length;
}
