import { setTimeout as pause } from 'node:timers/promises';
import { runWrk } from '../load.mjs';
import { pssBytes } from '../process-tree.mjs';

const sampleEveryMs = 200;
const megabyte = 1_000_000;

/** Started anew for each round and served a little: what every process needs to answer once is in memory then. */
export const memoryIdle = {
  unit: 'MB',
  start: 'eachRound',
  needs: ['wrk'],
  measure: async (entrant, bench) => {
    const { error } = await load(entrant, bench);
    if (error !== undefined) return { error };
    await pause(bench.seconds * 1000);
    return { value: pssBytes(entrant.pids) / megabyte };
  },
};

/** The largest of the samples that are taken meanwhile. */
export const memoryUnderLoad = {
  unit: 'MB',
  start: 'eachRound',
  needs: ['wrk'],
  measure: async (entrant, bench) => {
    let isOver = false;
    const loading = load(entrant, bench).finally(() => {
      isOver = true;
    });
    let largest = 0;
    while (!isOver) {
      await pause(sampleEveryMs);
      largest = Math.max(largest, pssBytes(entrant.pids));
    }
    const { error } = await loading;
    return error === undefined ? { value: largest / megabyte } : { error };
  },
};

/**
 * What one more application process costs: the contender's `oneMore` beside itself, one after the other, so that neither shares its
 * pages with the other. After a few requests only: under load the memory of the front grows and shrinks by more than a process.
 */
export const memoryPerProcess = {
  unit: 'MB',
  start: 'itself',
  needs: [],
  measure: async (contender, { seconds }, _prepared, start) => {
    const before = await sizeOf(contender, seconds, start);
    const after = await sizeOf(contender.oneMore, seconds, start);
    return { value: after - before };
  },
};

// Private

/** In megabytes. */
async function sizeOf(contender, seconds, start) {
  const entrant = await start(contender);
  try {
    // Once more: as good as surely every process has answered then.
    await entrant.check();
    await pause(seconds * 1000);
    return pssBytes(entrant.pids) / megabyte;
  } finally {
    await entrant.stop();
  }
}

function load({ url, request, folder }, { seconds }) {
  return runWrk(url, request, { seconds, folder });
}
