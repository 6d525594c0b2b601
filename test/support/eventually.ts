import { setTimeout as pause } from 'node:timers/promises';

/**
 * Calls `check` again and again until it does not throw, and gives what it answered. The only poll in the suite: for
 * what announces itself by no event (a process that ends, memory that is given back).
 *
 * Rejects after `timeoutMs` with the last error as its cause.
 */
export async function eventually<T>(
  check: () => T | Promise<T>,
  { timeoutMs = 10_000, intervalMs = 20 }: { timeoutMs?: number; intervalMs?: number } = {},
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (performance.now() >= deadline) {
        const reason = error instanceof Error ? error.message : String(error);
        throw new Error(`not within ${timeoutMs} ms: ${reason}`, { cause: error });
      }
    }
    await pause(intervalMs);
  }
}
