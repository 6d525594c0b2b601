/**
 * Two visitors, run as a process of its own: `visitors.mjs URL SECONDS`. One asks for a page, the other for a static file, each ten
 * times a second whether the last one was answered or not. Prints {page, file}, each {asked, answered, refused, failed, p50Ms,
 * p99Ms, maxMs}, as JSON.
 */
import { get as getHttp, Agent as HttpAgent } from 'node:http';
import { get as getHttps, Agent as HttpsAgent } from 'node:https';
import { setTimeout as pause } from 'node:timers/promises';
import { percentile } from '../benchmark/statistics.mjs';

const [url, duration] = process.argv.slice(2);
const isSecure = url.startsWith('https:');
const agent = new (isSecure ? HttpsAgent : HttpAgent)({ keepAlive: true, rejectUnauthorized: false });
const get = isSecure ? getHttps : getHttp;
const patienceMs = 10_000;

const [page, file] = await Promise.all([visit('/'), visit('/files/a.txt')]);
console.log(JSON.stringify({ page, file }));
process.exit();

async function visit(path) {
  const counts = { asked: 0, answered: 0, refused: 0, failed: 0 };
  const times = [];
  const asked = [];
  const endsAtMs = performance.now() + Number(duration) * 1000;
  for (let dueAtMs = performance.now(); dueAtMs < endsAtMs; dueAtMs += 100) {
    await pause(Math.max(0, dueAtMs - performance.now()));
    counts.asked += 1;
    asked.push(
      ask(path).then(({ outcome, ms }) => {
        counts[outcome] += 1;
        if (outcome === 'answered') times.push(ms);
      }),
    );
  }
  await Promise.all(asked);
  // Of none it is null in JSON.
  const [p50Ms, p99Ms, maxMs] = [50, 99, 100].map((percent) => Math.round(percentile(times, percent)));
  return { ...counts, p50Ms, p99Ms, maxMs };
}

function ask(path) {
  const beganAtMs = performance.now();
  return new Promise((resolve) => {
    const note = (outcome) => resolve({ outcome, ms: performance.now() - beganAtMs });
    get(new URL(path, url), { agent, signal: AbortSignal.timeout(patienceMs) }, (response) => {
      response.resume().once('end', () => note(response.statusCode === 200 ? 'answered' : 'refused'));
      response.once('error', () => note('failed'));
    }).once('error', () => note('failed'));
  });
}
