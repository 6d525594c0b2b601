import assert from 'node:assert/strict';
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { test } from 'node:test';
import { type ChosenCompression, chooseCompression } from '../../../../src/front/encoding/compression.js';
import { Exchange, type HeaderList } from '../../../../src/front/exchange.js';
import { PieceBuffers } from '../../../../src/front/files/piece-buffers.js';
import { makeBudget } from '../../../support/make-spool.js';

const settings = { compress: true, compressMinBytes: 1000 };
const html = ['Content-Type', 'text/html; charset=utf-8'];

interface Case {
  readonly method?: string;
  readonly accept?: string | undefined;
  readonly status?: number;
  readonly headers?: HeaderList;
  readonly bodyBytes?: number | undefined;
  readonly compress?: boolean;
}

function choose(given: Case = {}): ChosenCompression | undefined {
  const request = new IncomingMessage(new Socket());
  request.method = given.method ?? 'GET';
  const accept = 'accept' in given ? given.accept : 'gzip, deflate, br, zstd';
  if (accept !== undefined) request.headers['accept-encoding'] = accept;
  const client = {
    address: '',
    port: 0,
    scheme: 'http',
    host: '',
    isPeerTrusted: false,
    isProxy: false,
    believedHeaders: new Set<string>(),
  } as const;
  const more = { id: 'x', client, startedAtMs: 0, target: '/', pieceBuffers: new PieceBuffers(makeBudget()) };
  const exchange = new Exchange(request, new ServerResponse(request), more);
  const bodyBytes = 'bodyBytes' in given ? given.bodyBytes : 5000;
  const effective = { ...settings, compress: given.compress ?? true };
  return chooseCompression(exchange, given.status ?? 200, given.headers ?? html, bodyBytes, effective);
}

test('a page is compressed with what the client likes best', () => {
  assert.equal(choose()?.encoding, 'br');
  assert.equal(choose({ accept: 'gzip, deflate' })?.encoding, 'gzip');
  assert.equal(choose({ accept: 'br;q=0.1, gzip' })?.encoding, 'gzip');
  assert.equal(choose({ accept: 'zstd' })?.encoding, 'identity');
  assert.equal(choose({ accept: undefined })?.encoding, 'identity');
});

test('the headers are rewritten in place, and only where they must be', () => {
  const headers = [
    ...['content-type', 'text/html', 'Content-Length', '5000', 'Set-Cookie', 'a=1', 'Set-Cookie', 'b=2'],
    ...['ETag', '"v1"', 'Accept-Ranges', 'bytes', 'X-Frame-Options', 'DENY'],
  ];
  const before = [...headers];
  assert.deepEqual(choose({ headers })?.headers, [
    ...['content-type', 'text/html', 'Set-Cookie', 'a=1', 'Set-Cookie', 'b=2', 'ETag', 'W/"v1"'],
    ...['X-Frame-Options', 'DENY', 'Vary', 'Accept-Encoding', 'Content-Encoding', 'br'],
  ]);
  assert.deepEqual(headers, before);
});

test('a weak tag stays as it is', () => {
  const headers = [...html, 'ETag', 'W/"v1"'];
  assert.ok(choose({ headers })?.headers.includes('W/"v1"'));
});

test('for a client that wants none, all stays but Vary', () => {
  const headers = [...html, 'Content-Length', '5000', 'ETag', '"v1"', 'Accept-Ranges', 'bytes'];
  const expected = [...headers, 'Vary', 'Accept-Encoding'];
  assert.deepEqual(choose({ headers, accept: 'identity' })?.headers, expected);
});

test('several Vary headers become one', () => {
  const headers = ['Vary', 'Cookie', ...html, 'vary', 'Accept-Language'];
  const expected = [...html, 'Vary', 'Cookie, Accept-Language, Accept-Encoding', 'Content-Encoding', 'br'];
  assert.deepEqual(choose({ headers })?.headers, expected);
});

const varies: [current: string | undefined, expected: string][] = [
  [undefined, 'Accept-Encoding'],
  ['', 'Accept-Encoding'],
  ['Cookie', 'Cookie, Accept-Encoding'],
  ['Cookie, Accept-Language', 'Cookie, Accept-Language, Accept-Encoding'],
  ['accept-encoding', 'accept-encoding'],
  ['Cookie,ACCEPT-ENCODING', 'Cookie,ACCEPT-ENCODING'],
  ['*', '*'],
];

for (const [current, expected] of varies) {
  test(`Vary ${JSON.stringify(current)} becomes ${JSON.stringify(expected)}`, () => {
    const headers = current === undefined ? html : [...html, 'Vary', current];
    const rewritten = choose({ headers, accept: 'identity' })?.headers ?? [];
    assert.equal(rewritten[rewritten.indexOf('Vary') + 1], expected);
  });
}

test('HEAD gets the headers of GET', () => {
  const headers = [...html, 'Content-Length', '5000'];
  const get = choose({ headers });
  assert.deepEqual(choose({ method: 'HEAD', headers }), get);
  assert.deepEqual(choose({ method: 'HEAD', headers, bodyBytes: undefined }), get);
});

test('the length of the body decides, where it is known', () => {
  assert.equal(choose({ bodyBytes: 999 }), undefined);
  assert.equal(choose({ bodyBytes: 1000 })?.encoding, 'br');
  assert.equal(choose({ bodyBytes: undefined })?.encoding, 'br');
  assert.equal(choose({ bodyBytes: undefined, headers: [...html, 'Content-Length', '999'] }), undefined);
});

const untouched: [why: string, given: Case][] = [
  ['an image', { headers: ['Content-Type', 'image/png'] }],
  ['no type', { headers: [] }],
  ['an event stream', { headers: ['Content-Type', 'text/event-stream'] }],
  ['encoded already', { headers: [...html, 'Content-Encoding', 'gzip'] }],
  ['encoded as identity', { headers: [...html, 'content-encoding', 'identity'] }],
  ['no-transform', { headers: [...html, 'Cache-Control', 'private, No-Transform'] }],
  ['a part', { headers: [...html, 'Content-Range', 'bytes 0-1/2'] }],
  ['206', { status: 206 }],
  ['204', { status: 204 }],
  ['205', { status: 205 }],
  ['304 of an image', { status: 304, headers: ['Content-Type', 'image/png'] }],
  ['103', { status: 103 }],
  ['switched off', { compress: false }],
];
for (const [why, given] of untouched) {
  test(`untouched: ${why}`, () => assert.equal(choose(given), undefined));
}

for (const status of [200, 201, 404, 500]) {
  test(`a page of status ${status} is compressed`, () => assert.equal(choose({ status })?.encoding, 'br'));
}
