import type { Clock } from '../../contracts/clock.js';

/** A thread as the guard sees it. */
export interface GuardedThread {
  /** Its heap and buffers, as it told last; undefined: it has not answered the last question. */
  readonly usedBytes: () => number | undefined;
  /** Asks for usedBytes; a thread in an endless loop does not answer. */
  measure(): void;
  /** It has grown large, but is not dangerous yet. */
  onLarge(usedBytes: number): void;
  /** To be ended at once. */
  onExhausted(limitBytes: number): void;
}

export interface MemoryReading {
  /** Of the whole process. */
  rssBytes(): number;
  /** Heap and buffers of the main thread. */
  ownBytes(): number;
}

export interface ThreadMemoryLimits {
  /** A thread above this is better a process. */
  readonly largeBytes: number;
  /** All threads together may use so much. */
  readonly mostBytes: number;
}

/** An endless loop fills memory with several hundred MB a second. */
const CHECK_MS = 100;
/** The program itself, which is in the resident size and in no heap. */
const PROGRAM_BYTES = 64 * 1024 * 1024;

/**
 * Ends a thread that fills the memory, before it ends this process.
 *
 * The limits of worker_threads (resourceLimits) are not enough: they know nothing of buffers, and a single large allocation
 * beyond them, such as the growth of an array, aborts the whole process ("FATAL ERROR: Reached heap limit"). So the heap is
 * left free, and the size of the process is watched from here. One for all threads of this process; made by executePlans.
 */
export class ThreadMemory {
  readonly #limits: ThreadMemoryLimits;
  readonly #reading: MemoryReading;
  readonly #clock: Clock;
  readonly #threads = new Set<GuardedThread>();
  #stopChecks: () => void = () => {};

  constructor(limits: ThreadMemoryLimits, reading: MemoryReading, clock: Clock) {
    this.#limits = limits;
    this.#reading = reading;
    this.#clock = clock;
  }

  /** The answer ends the watch. */
  watch(thread: GuardedThread): () => void {
    if (this.#threads.size === 0) this.#stopChecks = this.#clock.every(CHECK_MS, () => this.#check());
    this.#threads.add(thread);
    return () => {
      this.#threads.delete(thread);
      if (this.#threads.size === 0) this.#stopChecks();
    };
  }

  // Private

  #check(): void {
    const usedBytes = this.#reading.rssBytes() - this.#reading.ownBytes() - PROGRAM_BYTES;
    const { largeBytes, mostBytes } = this.#limits;
    if (usedBytes > mostBytes) this.#chooseLargest()?.onExhausted(mostBytes);
    if (usedBytes <= largeBytes) return;
    for (const thread of this.#threads) {
      const threadBytes = thread.usedBytes();
      if (threadBytes !== undefined && threadBytes > largeBytes) thread.onLarge(threadBytes);
      thread.measure();
    }
  }

  /** One that does not answer is the first to be suspected: it runs, and only what runs can grow. */
  #chooseLargest(): GuardedThread | undefined {
    const sizeOf = (thread: GuardedThread): number => thread.usedBytes() ?? Number.POSITIVE_INFINITY;
    return [...this.#threads].sort((a, b) => sizeOf(b) - sizeOf(a))[0];
  }
}

const MIB = 1024 * 1024;

/** Half of the machine's memory at most. `constrainedBytes` is that of the container, 0 where there is none. */
export function chooseThreadMemoryLimits(totalBytes: number, constrainedBytes: number): ThreadMemoryLimits {
  const memoryBytes = constrainedBytes > 0 ? Math.min(totalBytes, constrainedBytes) : totalBytes;
  const mostBytes = Math.min(768 * MIB, memoryBytes / 2);
  return { mostBytes, largeBytes: mostBytes / 2 };
}
