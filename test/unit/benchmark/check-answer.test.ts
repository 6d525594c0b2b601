import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { importBenchmark } from '../../support/import-benchmark.js';

interface Request {
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly revalidates?: boolean;
  readonly expect: object;
}

const { checkAnswers, requestFor } = await importBenchmark<{
  checkAnswers(url: string, request: Request): Promise<void>;
  requestFor(url: string, request: Request): Promise<Request>;
}>('check-answer.mjs');

const hello = {
  path: '/',
  headers: {},
  expect: { status: 200, headers: { 'content-type': /^text\/plain/ }, body: Buffer.from('hello') },
};

async function serve(t: TestContext, listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test('a right answer is one that is right 20 times', async (t) => {
  let count = 0;
  const url = await serve(t, (_request, response) => {
    count++;
    response.setHeader('content-type', 'text/plain').end(count < 20 ? 'hello' : 'hellO');
  });
  await assert.rejects(checkAnswers(url, hello), /its body of 5 bytes is not the expected one of 5: "hellO"/);
  assert.equal(count, 20);
});

test('a wrong status or header is named', async (t) => {
  const url = await serve(t, ({ url: path }, response) => {
    if (path === '/error') response.writeHead(500).end('oh no');
    else response.end('hello');
  });
  await assert.rejects(
    checkAnswers(url, { ...hello, path: '/error' }),
    /\/error: status 500, not 200: "oh no"/,
  );
  await assert.rejects(checkAnswers(url, hello), /header content-type is undefined/);
});

test('a packed body is unpacked before it is compared', async (t) => {
  const url = await serve(t, (_request, response) => {
    response.setHeader('content-type', 'text/plain').end(gzipSync('hello'));
  });
  await checkAnswers(url, { ...hello, expect: { ...hello.expect, decode: 'gzip' } });
  await assert.rejects(checkAnswers(url, hello), /its body/);
});

test("a revalidation asks with the contender's own ETag", async (t) => {
  const url = await serve(t, ({ headers }, response) => {
    response.setHeader('etag', '"one"');
    response.writeHead(headers['if-none-match'] === '"one"' ? 304 : 200).end();
  });
  const expect = { status: 304, headers: { etag: /./ }, body: Buffer.alloc(0) };
  const request = await requestFor(url, { path: '/', revalidates: true, expect });
  assert.deepEqual(request.headers, { 'if-none-match': '"one"' });
  await checkAnswers(url, request);
});

test('whoever has no ETag cannot be asked for a revalidation', async (t) => {
  const url = await serve(t, (_request, response) => response.end());
  await assert.rejects(requestFor(url, { path: '/', revalidates: true, expect: {} }), /no ETag/);
});
