import assert from 'node:assert/strict';
import { readdir, rm } from 'node:fs/promises';
import { type TestContext, test } from 'node:test';
import type { RequestFailure } from '../../../src/contracts/upstream.js';
import { serveApplication } from '../../../src/front/application.js';
import type { AppRequest } from '../../../src/front/upstream/app-request.js';
import type { Settings } from '../../../src/settings/settings.js';
import { defaultSettings } from '../../support/default-settings.js';
import { eventually } from '../../support/eventually.js';
import { makeFileTree } from '../../support/file-tree.js';
import { makeSpool } from '../../support/make-spool.js';
import { type ServedFront, serveFront } from '../../support/serve-front.js';

interface ServedApplication {
  readonly served: ServedFront;
  readonly folder: string;
  /** What would go to the pool. */
  readonly requests: AppRequest[];
}

/** A front whose requests end in a pool that answers each with what it got. */
async function serve(
  t: TestContext,
  settings: Partial<Settings> = {},
  dispatch: (request: AppRequest) => void = echo,
  { decidesFraming = false } = {},
): Promise<ServedApplication> {
  const folder = await makeFileTree(t, {});
  const requests: AppRequest[] = [];
  const served = await serveFront(t, [], settings);
  const take = (request: AppRequest): void => {
    requests.push(request);
    dispatch(request);
  };
  const spool = makeSpool(folder, served.log);
  const needs = {
    protocol: 'gateway',
    readsBodiesFirst: true,
    uploadPlaces: 1,
    decidesFraming,
  } as const;
  const options = { needs, dispatcher: { dispatch: take }, spool, clock: served.clock, log: served.log };
  served.configure([serveApplication({ ...options, settings: defaultSettings(settings) })]);
  return { served, folder, requests };
}

function echo(request: AppRequest): void {
  const { body, exchange } = request;
  const content = body.kind === 'memory' ? body.bytes.toString() : '';
  exchange.respond(200, [], `${body.kind} ${content}`);
}

const expecting = (length: number) =>
  `POST / HTTP/1.1\r\nHost: h\r\nContent-Length: ${length}\r\nExpect: 100-continue\r\n\r\n`;

test('without a body there is none', async (t) => {
  const { served } = await serve(t);
  const text = await served.exchange('GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n');
  assert.ok(text.endsWith('none '));
});

test('a client that waits to be asked for its body is asked', async (t) => {
  const { served } = await serve(t);
  const connection = await served.connect();
  connection.send(expecting(5));
  await connection.readUntil('HTTP/1.1 100 Continue\r\n\r\n');
  connection.forget();
  connection.send('hello');
  assert.match(await connection.readUntil('memory hello'), /^HTTP\/1\.1 200 OK\r\n/);
});

test('one whose body is too large is not asked, and told at once', async (t) => {
  const { served, requests } = await serve(t, { maxBodyBytes: 4 });
  const connection = await served.connect();
  connection.send(expecting(5));
  const text = await connection.readUntil('</html>');
  assert.match(text, /^HTTP\/1\.1 413 Payload Too Large\r\n/);
  assert.match(text, /\r\nConnection: close\r\n/);
  assert.doesNotMatch(text, /100 Continue/);
  assert.deepEqual(requests, []);
});

test('other expectations, and HTTP/1.0, are not answered with 100', async (t) => {
  const { served } = await serve(t);
  for (const [version, expectation] of [
    ['1.0', '100-continue'],
    ['1.1', 'miracles'],
  ]) {
    const text = await served.exchange(
      `POST / HTTP/${version}\r\nHost: h\r\nConnection: close\r\nContent-Length: 1\r\nExpect: ${expectation}\r\n\r\nx`,
    );
    assert.match(text, /^HTTP\/1\.1 200 OK\r\n/);
    assert.ok(text.endsWith('memory x'));
  }
});

test('a client that sends without asking reads its 413, although it is still sending', async (t) => {
  const { served } = await serve(t, { maxBodyBytes: 1000 });
  const connection = await served.connect();
  const length = 20_000_000;
  connection.send(`POST / HTTP/1.1\r\nHost: h\r\nContent-Length: ${length}\r\n\r\n`);
  connection.send(Buffer.alloc(length, 'x'));
  const text = await connection.readToEnd();
  assert.match(text, /^HTTP\/1\.1 413 /);
  assert.match(text, /larger than this site accepts \(0 KiB\)/);
  assert.equal(connection.error, undefined, 'a proper close, no reset');
});

test('a chunked body that grows too large gets its 413 as well', async (t) => {
  const { served, folder } = await serve(t, { maxBodyBytes: 1000, bodyMemoryBytes: 100 });
  const connection = await served.connect();
  connection.send('POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n');
  for (let piece = 0; piece < 5; piece += 1) connection.send(`1f4\r\n${'x'.repeat(500)}\r\n`);
  connection.send('0\r\n\r\n');
  assert.match(await connection.readToEnd(), /^HTTP\/1\.1 413 /);
  assert.deepEqual(await readdir(folder), []);
});

test('a client that is too slow', async (t) => {
  const { served } = await serve(t, { bodyIdleTimeoutMs: 60 });
  const connection = await served.connect();
  connection.send('POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nab');
  const text = await connection.readToEnd();
  assert.match(text, /^HTTP\/1\.1 408 Request Timeout\r\n/);
  assert.match(text, /\r\nConnection: close\r\n/);
});

test('a spool folder that is gone: 507, and the log says why', async (t) => {
  const { served, folder } = await serve(t, { bodyMemoryBytes: 1 });
  await rm(folder, { recursive: true });
  const connection = await served.connect();
  connection.send('POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello');
  assert.match(await connection.readUntil('</html>'), /^HTTP\/1\.1 507 /);
  assert.match(String(served.log.all('spool-failed')[0]?.fields.error), /ENOENT/);
});

test('a fault of ours after the body was read: 500, and the log says where', async (t) => {
  const { served } = await serve(t, {}, () => {
    throw new Error('a bug');
  });
  const connection = await served.connect();
  connection.send('POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi');
  assert.match(await connection.readToEnd(), /^HTTP\/1\.1 500 /);
  const [record] = served.log.all('handler-failed');
  assert.match(String(record?.fields?.detail), /a bug[\s\S]+application\.test/);
});

test('a client that leaves in the middle of its body is not dispatched', async (t) => {
  const { served, requests } = await serve(t);
  const connection = await served.connect();
  connection.send('POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nab');
  await eventually(() => assert.equal(served.front.connections, 1));
  connection.reset();
  await served.log.until(() => served.log.accessRecords.length === 1, 'the access record');
  assert.equal(served.log.accessRecords[0]?.status, 499);
  assert.deepEqual(requests, []);
});

const pages: [reason: RequestFailure, status: number, retryAfter: string | undefined][] = [
  ['queue-full', 503, '2'],
  ['queue-timeout', 503, '5'],
  ['unavailable', 503, '10'],
  ['stopping', 503, '5'],
  ['upstream-died', 502, undefined],
  ['upload-stalled', 408, undefined],
  ['stuck', 504, undefined],
];
for (const [reason, status, retryAfter] of pages) {
  test(`a request that fails (${reason}) gets a page`, async (t) => {
    const { served } = await serve(t, {}, (request) => request.fail(reason));
    const text = await served.exchange('GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n');
    assert.match(text, new RegExp(`^HTTP/1\\.1 ${status} `));
    assert.equal(/\r\nRetry-After: (\d+)\r\n/.exec(text)?.[1], retryAfter);
    assert.match(text, /\r\nCache-Control: no-store\r\n/);
    const id = /\r\nX-Request-ID: (\S+)\r\n/.exec(text)?.[1];
    assert.ok(id && text.includes(`Request ${id}`), 'the page names the request');
  });
}

test('which requests may be sent again, and how often', async (t) => {
  const retries: boolean[][] = [];
  const { served } = await serve(t, { bodyMemoryBytes: 10 }, (request) => {
    retries.push(Array.from({ length: 4 }, () => request.takeRetry()));
    request.exchange.respond(204, []);
  });
  const body = 'x'.repeat(20);
  await served.exchange(
    [
      'GET / HTTP/1.1\r\nHost: h\r\n\r\n',
      'HEAD / HTTP/1.1\r\nHost: h\r\n\r\n',
      'GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nx',
      `GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 20\r\n\r\n${body}`,
      'POST / HTTP/1.1\r\nHost: h\r\n\r\n',
      'DELETE / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n',
    ].join(''),
  );
  assert.deepEqual(retries, [
    [true, true, true, false],
    [true, true, true, false],
    [true, true, true, false],
    [false, false, false, false],
    [false, false, false, false],
    [false, false, false, false],
  ]);
});

test('a request whose client has left is abandoned, waits no more and is not repeated', async (t) => {
  const { served, requests } = await serve(t, {}, () => {});
  const connection = await served.connect();
  connection.send('GET / HTTP/1.1\r\nHost: h\r\n\r\n');
  await eventually(() => assert.equal(requests.length, 1));
  const [request] = requests;
  assert.deepEqual([request?.isAbandoned, request?.isWaiting], [false, true]);
  connection.reset();
  await eventually(() => assert.equal(request?.isAbandoned, true));
  assert.deepEqual([request?.isWaiting, request?.takeRetry()], [false, false]);
  request?.fail('stuck');
});

test('who counts as one client: the address that a trusted proxy names, of IPv6 the /64', async (t) => {
  const { served, requests } = await serve(t, { trustedProxies: ['127.0.0.1'] });
  for (const address of ['192.0.2.7', '2001:db8:1:2::5', '2001:db8:1:2:ffff::9']) {
    const forwarded = `X-Forwarded-For: ${address}\r\nConnection: close`;
    await served.exchange(`GET / HTTP/1.1\r\nHost: h\r\n${forwarded}\r\n\r\n`);
  }
  const subnet = '2001:0db8:0001:0002::/64';
  assert.deepEqual(
    requests.map(({ client }) => client),
    ['192.0.2.7', subnet, subnet],
  );
});

for (const decidesFraming of [true, false]) {
  test(`an answer without X-Frame-Options, where the application decides: ${decidesFraming}`, async (t) => {
    const answer = (request: AppRequest): void => {
      if (request.path === '/refused') request.fail('unavailable');
      else request.writer.whole('200 OK', Buffer.from('page'));
    };
    const { served } = await serve(t, {}, answer, { decidesFraming });
    const ask = (path: string): Promise<string> =>
      served.exchange(`GET ${path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n`);
    const page = await ask('/');
    assert.equal(/X-Frame-Options/i.test(page), !decidesFraming);
    assert.match(page, /X-Content-Type-Options: nosniff/);
    assert.match(await ask('/refused'), /X-Frame-Options: SAMEORIGIN/);
  });
}
