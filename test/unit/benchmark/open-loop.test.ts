import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { importBenchmark } from '../../support/import-benchmark.js';

interface Result {
  readonly error?: string;
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

const { runOpenLoop } = await importBenchmark<{
  runOpenLoop(url: string, request: object, rate: object): Promise<Result>;
}>('load.mjs');

async function load(t: TestContext, listener: RequestListener): Promise<Result> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const rate = { seconds: 0.5, requestsPerSecond: 200 };
  return await runOpenLoop(url, { path: '/', headers: { 'x-test': 'yes' } }, rate);
}

test('the same requests for everybody, about as many as the rate says', async (t) => {
  let count = 0;
  const result = await load(t, ({ headers }, response) => {
    if (headers['x-test'] === 'yes') count++;
    response.end();
  });
  assert.equal(result.requestsPerSecond, count / 0.5);
  assert.ok(count > 70 && count < 130, `${count} requests`);
});

test('requests go on while the ones before wait, and each wait is counted', async (t) => {
  // Nobody is answered before the 30th has come: a generator that waits for answers would wait for ever.
  const waiting: (() => void)[] = [];
  const { error, p50Ms, p99Ms } = await load(t, (_request, response) => {
    waiting.push(() => response.end());
    if (waiting.length >= 30) for (const answer of waiting) answer();
  });
  assert.equal(error, undefined);
  // The first of 30 requests at 200 a second waits for about 150 ms.
  assert.ok(p99Ms > 50 && p99Ms > p50Ms, `p50 ${p50Ms}, p99 ${p99Ms}`);
});

test('one failed request is an error', async (t) => {
  let count = 0;
  const { error } = await load(t, (_request, response) => {
    response.writeHead(++count === 5 ? 503 : 200).end();
  });
  assert.equal(error, '1 requests failed; the first: status 503');
});
