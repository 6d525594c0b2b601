import { type DiskFile, encodings, type StaticEncoding } from './static-file.js';

/** Compressing writes the sibling after the original; copying both (collectstatic, pip) may swap them. */
const siblingToleranceMs = 60_000;

const suffixes: Readonly<Record<StaticEncoding, string>> = { br: '.br', zstd: '.zst', gzip: '.gz' };

/** `app.css.br` and so on for `app.css`, whether they are there or not. */
export function siblingNames(below: string): readonly string[] {
  return encodings.map((encoding) => below + suffixes[encoding]);
}

/** The siblings among `files`, unless they save nothing or are older than the original, so of other content. */
export function siblingsOf(
  below: string,
  original: DiskFile,
  files: ReadonlyMap<string, DiskFile>,
  { isImmutable }: { readonly isImmutable: boolean },
): Map<StaticEncoding, DiskFile> {
  const siblings = new Map<StaticEncoding, DiskFile>();
  for (const encoding of encodings) {
    const sibling = files.get(below + suffixes[encoding]);
    if (sibling === undefined || sibling.size >= original.size) continue;
    if (!isImmutable && sibling.mtimeMs < original.mtimeMs - siblingToleranceMs) continue;
    siblings.set(encoding, sibling);
  }
  return siblings;
}
