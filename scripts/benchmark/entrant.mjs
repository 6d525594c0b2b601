import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { checkAnswers, fetchAnswer, requestFor } from './check-answer.mjs';
import { freePort } from './server-process.mjs';
import { workloads } from './workloads.mjs';

const readyWithinMs = 30_000;
const pollEveryMs = 5;

let count = 0;

/** It never answered 200: not there, rather than wrong. */
export class NotAvailable extends Error {}

/**
 * Starts one contender of a row in a folder and at ports of its own, and resolves when it has answered: {name, title, url, pids,
 * request, folder, startedWithinMs, underLoad, check(), stop()}. Rejects with NotAvailable, or, where its answers are not
 * what they should be, with what is wrong.
 */
export async function startEntrant(contender, row, bench, accessLog) {
  const folder = join(bench.folder, `e${count++}`);
  mkdirSync(folder);
  const place = await makePlace(folder, row, bench, accessLog);
  const before = performance.now();
  const { url, processes, underLoad } = contender.launch(place);
  const stop = async () => {
    for (const process of processes.toReversed()) await process.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const wanted = workloads[row.workload](place.site);
    await untilAnswers(url, wanted, processes);
    const startedWithinMs = performance.now() - before;
    const request = await requestFor(url, wanted);
    const check = () => checkAnswers(url, request, row.measurement.protocol);
    await check();
    const pids = processes.map(({ pid }) => pid);
    const { name, title } = contender;
    return { name, title, url, pids, request, folder, startedWithinMs, underLoad, check, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

// Private

/** All that a contender's launch(place) may use. */
async function makePlace(folder, row, bench, accessLog) {
  const { root, tools, tls, sites } = bench;
  return {
    root,
    folder,
    accessLog,
    tls,
    python: tools.python,
    sitePackages: tools.sitePackages,
    site: sites.copy(sites.get(row.site), join(folder, 'site')),
    port: await freePort(),
    otherPort: await freePort(),
  };
}

/** What needs a body is not what readiness is asked with: the page at / is. */
async function untilAnswers(url, { path, method = 'GET', headers = {} }, processes) {
  const probe = method === 'GET' ? { path, headers } : { path: '/', headers: {} };
  const deadline = performance.now() + readyWithinMs;
  let last = 'nothing';
  for (;;) {
    const answer = await fetchAnswer(url, probe).catch((error) => error);
    if (answer.status === 200) return;
    last = answer.status ?? answer.message;
    const ended = processes.find((process) => process.hasEnded);
    if (ended !== undefined) throw new NotAvailable(`it exited; ${ended.lastWords}`);
    if (performance.now() > deadline) {
      const words = processes.map((process) => process.lastWords).join('\n');
      throw new NotAvailable(`no answer within ${readyWithinMs / 1000} s, at last: ${last}; ${words}`);
    }
    await pause(pollEveryMs);
  }
}
