/** What a process holds at a quiet moment: nobody asks for anything, and no connection is open. */
export interface QuietMoment {
  readonly rssBytes: number;
  readonly openFiles: number;
}

export interface Growth {
  /** As a share. */
  readonly rss: number;
  readonly openFiles: number;
  readonly isTooMuch: boolean;
}

const mostGrowth = 0.05;
/** Of a few dozen descriptors each is more than the share; a connection to the application may stay open, or not. */
const mostMoreFiles = 2;

/**
 * How much more a process holds at the end than after its warm-up, as a share: the first third of the moments is the warm-up,
 * and the medians of the second and of the last third are compared, so that one moment in the middle of a collection of garbage
 * does not decide. `warmUpBytes`: what may still come with the warm-up where the soak is short.
 */
export function growthOf(moments: readonly QuietMoment[], { warmUpBytes = 0 } = {}): Growth {
  const third = Math.floor(moments.length / 3);
  if (third === 0) throw new Error('three moments are needed at least');
  const before = moments.slice(third, -third);
  const after = moments.slice(-third);
  const median = (part: readonly QuietMoment[], of: (moment: QuietMoment) => number) =>
    middleOf(part.map(of));
  const [rssBefore, rssAfter] = [before, after].map((part) => median(part, ({ rssBytes }) => rssBytes)) as [
    number,
    number,
  ];
  const files = [before, after].map((part) => median(part, ({ openFiles }) => openFiles)) as [number, number];
  const [rss, openFiles] = [rssAfter / rssBefore - 1, files[1] / files[0] - 1];
  const hasMoreFiles = openFiles > mostGrowth && files[1] - files[0] > mostMoreFiles;
  const hasMoreMemory = rss > mostGrowth && rssAfter - rssBefore > warmUpBytes;
  return { rss, openFiles, isTooMuch: hasMoreMemory || hasMoreFiles };
}

function middleOf(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return ((sorted[Math.ceil(middle) - 1] as number) + (sorted[Math.floor(middle)] as number)) / 2;
}
