import { performance } from 'node:perf_hooks';
import { setInterval as ticks } from 'node:timers/promises';
import { ask } from './http-client.js';

/** What visitors saw while somebody asked for pages that end their process. */
export interface AttackTally {
  readonly crashes: number;
  readonly answered: number;
  /** Status, or what went wrong. */
  readonly failures: readonly string[];
  readonly longestWaitMs: number;
}

const VISITORS = 2;

/** For `seconds`, asks for `path(n)` once a second, while visitors ask for `/` all the time. */
export async function attack(
  url: string,
  seconds: number,
  path: (n: number) => string,
): Promise<AttackTally> {
  const failures: string[] = [];
  let answered = 0;
  let longestWaitMs = 0;
  let isOver = false;
  const visit = async (): Promise<void> => {
    while (!isOver) {
      const startedAt = performance.now();
      const result = await ask(url, '/').then(
        ({ status }) => (status === 200 ? undefined : `status ${status}`),
        (error: Error) => error.message,
      );
      longestWaitMs = Math.max(longestWaitMs, performance.now() - startedAt);
      if (result === undefined) answered += 1;
      else failures.push(result);
    }
  };
  const visitors = Array.from({ length: VISITORS }, visit);
  let crashes = 0;
  for await (const _ of ticks(1000)) {
    crashes += 1;
    void ask(url, path(crashes)).catch(() => {});
    if (crashes >= seconds) break;
  }
  isOver = true;
  await Promise.all(visitors);
  return { crashes, answered, failures, longestWaitMs: Math.round(longestWaitMs) };
}
