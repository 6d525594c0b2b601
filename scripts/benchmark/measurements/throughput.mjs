import { runH2load, runNewTlsConnections, runWrk } from '../load.mjs';

/**
 * Requests per second with as many keep-alive connections as the workload says, each asking as fast as it is answered. A
 * measurement is {title, unit, start, needs, prepare?, measure}; see run-row.mjs, which calls it.
 */
export const throughput = {
  unit: 'requests/s',
  start: 'once',
  needs: ['wrk'],
  measure: async (entrant, { seconds }) =>
    withValue(await runWrk(entrant.url, entrant.request, { seconds, folder: entrant.folder })),
};

/** The same over TLS; `protocol` is 'h2' or 'h1'. */
export function tlsThroughput(protocol) {
  return {
    unit: 'requests/s',
    start: 'once',
    needs: ['h2load'],
    protocol,
    measure: async (entrant, { seconds }) =>
      withValue(await runH2load(entrant.url, entrant.request, { seconds, protocol })),
  };
}

export const newTlsConnections = {
  unit: 'connections/s',
  start: 'once',
  needs: ['ab'],
  measure: async (entrant, { seconds }) =>
    withValue(await runNewTlsConnections(entrant.url, entrant.request, { seconds })),
};

// Private

function withValue(result) {
  return result.error === undefined ? { value: result.requestsPerSecond, ...result } : result;
}
