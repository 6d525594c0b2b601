import { rssBytes } from './processes.js';

export interface PeakMemory<T> {
  readonly result: T;
  /** Above what it was before. */
  readonly grownBytes: number;
}

/**
 * Weighs a process, by its resident size, while something is done: `act` calls back with every piece that it sends or
 * receives.
 */
export async function peakMemory<T>(
  pid: number,
  act: (weigh: () => void) => Promise<T>,
): Promise<PeakMemory<T>> {
  const before = rssBytes(pid);
  let peak = before;
  const weigh = () => {
    peak = Math.max(peak, rssBytes(pid));
  };
  const result = await act(weigh);
  weigh();
  return { result, grownBytes: peak - before };
}
