import { rssBytes } from './processes.js';

export interface PeakMemory<T> {
  readonly result: T;
  /** Above what it was before. */
  readonly grownBytes: number;
}

/** Weighs a process, by its resident size, again and again while something is done. */
export async function peakMemory<T>(pid: number, act: () => Promise<T>): Promise<PeakMemory<T>> {
  const before = rssBytes(pid);
  let peak = before;
  const weigh = () => {
    peak = Math.max(peak, rssBytes(pid));
  };
  const timer = setInterval(weigh, 10);
  try {
    const result = await act();
    weigh();
    return { result, grownBytes: peak - before };
  } finally {
    clearInterval(timer);
  }
}
