/**
 * Load at a fixed rate: requests are due at random times (a Poisson process, as visitors come), always the same ones, whether the
 * ones before have been answered or not. A latency counts from the time at which the request was due: whoever waits because
 * the server is slow is not left out (wrk and ab ask less of a slow server; Debian has no generator that doesn't).
 *
 * Run by load.mjs with {url, path, headers, seconds, requestsPerSecond} as JSON; prints {requestsPerSecond, p50Ms, p99Ms,
 * maxMs} or {error} as JSON.
 */
import { Agent, get } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { percentile } from './statistics.mjs';

const answerWithinMs = 10_000;

const { url, path, headers, seconds, requestsPerSecond } = JSON.parse(process.argv[2]);
const agent = new Agent({ keepAlive: true });
const target = new URL(path, url);
const latencies = [];
const faults = [];

await sendAll();
agent.destroy();
console.log(JSON.stringify(summarise()));

async function sendAll() {
  const due = dueTimes();
  const start = performance.now();
  const answers = [];
  for (let next = 0; next < due.length; ) {
    const now = performance.now() - start;
    // A timer is up to a millisecond late: then all that are due go out together, and each has its own due time.
    while (next < due.length && due[next] <= now) answers.push(ask(start + due[next++]));
    if (next < due.length) await pause(Math.max(1, due[next] - (performance.now() - start)));
  }
  await Promise.all(answers);
}

function ask(dueAt) {
  return new Promise((resolve) => {
    const fail = (fault) => {
      faults.push(fault);
      resolve();
    };
    const outgoing = get(
      target,
      { agent, headers, signal: AbortSignal.timeout(answerWithinMs) },
      (response) => {
        response.resume();
        response.once('error', (error) => fail(error.message));
        response.once('end', () => {
          if (response.statusCode !== 200) return fail(`status ${response.statusCode}`);
          latencies.push(performance.now() - dueAt);
          resolve();
        });
      },
    );
    outgoing.once('error', (error) => fail(error.message));
  });
}

function summarise() {
  if (faults.length > 0) return { error: `${faults.length} requests failed; the first: ${faults[0]}` };
  return {
    requestsPerSecond: latencies.length / seconds,
    p50Ms: rounded(percentile(latencies, 50)),
    p99Ms: rounded(percentile(latencies, 99)),
    maxMs: rounded(Math.max(...latencies)),
  };
}

/** Milliseconds from the start, ascending. */
function dueTimes() {
  const random = generator(20);
  const times = [];
  for (let at = 0; ; ) {
    at += (-Math.log(1 - random()) * 1000) / requestsPerSecond;
    if (at >= seconds * 1000) return times;
    times.push(at);
  }
}

/** Mulberry32, public domain: the same numbers for every contender, which Math.random() would not give. */
function generator(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function rounded(milliseconds) {
  return Number(milliseconds.toFixed(2));
}
