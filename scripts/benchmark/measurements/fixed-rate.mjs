import { runOpenLoop, runWrk } from '../load.mjs';
import { median } from '../statistics.mjs';

const calibrations = 3;

/**
 * The 99th percentile of the latency while requests come at a fixed rate: `share` of what the slowest of the row's contenders
 * can serve, the same for all. An entrant with `underLoad` does that meanwhile (see reloadingEasyserve).
 */
export function fixedRate(share) {
  return {
    unit: 'ms (p99)',
    start: 'once',
    needs: ['wrk'],
    prepare: async (entrants, bench) => ({
      requestsPerSecond: share * (await leastCapacity(entrants, bench)),
    }),
    measure: async (entrant, { seconds }, { requestsPerSecond }) => {
      const finish = entrant.underLoad?.();
      const result = await runOpenLoop(entrant.url, entrant.request, { seconds, requestsPerSecond });
      const count = await finish?.();
      if (result.error !== undefined) return result;
      return { value: result.p99Ms, ...result, ...(count === undefined ? {} : { reloads: count }) };
    },
  };
}

// Private

/** In turn, like the rounds, so that the slower one is the slower one. */
async function leastCapacity(entrants, { seconds }) {
  const rates = new Map(entrants.map((entrant) => [entrant, []]));
  for (let n = 0; n < calibrations; n++) {
    for (const [entrant, found] of rates) {
      const run = await runWrk(entrant.url, entrant.request, { seconds, folder: entrant.folder });
      if (run.error !== undefined) throw new Error(`${entrant.title} fails under full load: ${run.error}`);
      found.push(run.requestsPerSecond);
    }
  }
  return Math.min(...[...rates.values()].map(median));
}
