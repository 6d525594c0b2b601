import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Writes files below a folder, at once: for what startEasyserve prepares. */
export function putFiles(folder: string, files: Readonly<Record<string, string | Uint8Array>>): void {
  for (const [below, content] of Object.entries(files)) {
    const path = join(folder, below);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
  }
}
