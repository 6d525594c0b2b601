import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { serveFolder } from '../../src/front/files/serve-folder.js';
import { makeFileTree, putFile } from './file-tree.js';
import { RecordingLog } from './recording-log.js';
import { type ServedHandler, serveHandler } from './serve-handler.js';

export interface ServedFiles {
  readonly served: ServedHandler;
  readonly root: string;
  readonly log: RecordingLog;
}

/**
 * Serves these files as media. Their root lies in a folder of its own, beside secrets that must stay outside.
 */
export async function serveFiles(
  t: TestContext,
  files: Record<string, string>,
  { userContent = true, prefix = '/media/' } = {},
): Promise<ServedFiles> {
  const base = await makeFileTree(t, { secret: 'SECRET', 'root-beside/secret': 'SECRET' });
  const root = join(base, 'root');
  await mkdir(root);
  for (const [below, content] of Object.entries(files)) await putFile(join(root, below), content);
  const log = new RecordingLog();
  const handler = serveFolder({ prefix, root, maxAgeSeconds: 3600, userContent }, log);
  return { served: await serveHandler(t, handler), root, log };
}
