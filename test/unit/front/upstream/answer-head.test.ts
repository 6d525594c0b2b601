import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isBodiless, parseAnswerHead } from '../../../../src/front/upstream/answer-head.js';

function parse(fields: readonly string[], takesSendfile = false) {
  return parseAnswerHead(fields.join('\0'), { takesSendfile });
}

test('status, reason and headers, duplicates and all, in their order', () => {
  const headers = ['Content-Type', 'text/html', 'Set-Cookie', 'a=1', 'set-cookie', 'b=2', 'X-Ä', 'größe'];
  assert.deepEqual(parse(['404 Not Here', ...headers]), {
    status: 404,
    reason: 'Not Here',
    headers,
    contentLength: undefined,
    requestId: undefined,
    sendfile: undefined,
    accelRedirect: undefined,
  });
});

const statusLines: [line: string, status: number | undefined, reason?: string][] = [
  ['200 OK', 200, 'OK'],
  ['200', 200, ''],
  ['200 ', 200, ''],
  ['299 größer', 299, 'größer'],
  ['999 Odd', 999, 'Odd'],
  ['100 Continue', undefined],
  ['101 Switching Protocols', undefined],
  ['', undefined],
  ['OK', undefined],
  ['20', undefined],
  ['2e2 OK', undefined],
  ['2000 OK', undefined],
  ['200OK', undefined],
  [' 200 OK', undefined],
  ['-200 OK', undefined],
];
for (const [line, status, reason] of statusLines) {
  test(`the status line ${JSON.stringify(line)}`, () => {
    if (status === undefined) assert.throws(() => parse([line]), /^Error: status/);
    else {
      const head = parse([line]);
      assert.deepEqual([head.status, head.reason], [status, reason]);
    }
  });
}

test('what belongs to the connection is dropped, in any case', () => {
  const dropped = [
    ...['Connection', 'KEEP-ALIVE', 'Proxy-Connection', 'te', 'Trailer', 'Transfer-Encoding', 'upgrade'],
    'X-Request-ID',
  ].flatMap((name) => [name, 'x']);
  const kept = [
    'Cache-Control',
    'a',
    'Keep',
    'b',
    'Pragma',
    'c',
    'Title',
    'd',
    'Upgrade-Me',
    'e',
    'X-Other',
    'f',
  ];
  assert.deepEqual(parse(['200 OK', ...dropped, ...kept]).headers, kept);
});

test('Content-Length is a number of its own; the last one counts', () => {
  const head = parse(['200 OK', 'content-length', '1', 'Content-Length', '20', 'Date', 'x']);
  assert.deepEqual([head.contentLength, head.headers], [20, ['Date', 'x']]);
});

for (const value of ['', ' ', 'abc', '-5', '+5', '1_0', '1.5', '0x10', '1e3', ' 7', '5, 5']) {
  test(`Content-Length ${JSON.stringify(value)} is none`, () => {
    assert.throws(() => parse(['200 OK', 'Content-Length', value]), /Content-Length/);
  });
}

test('files that the application names, only where that is switched on', () => {
  const fields = ['200 OK', 'X-Sendfile', '/a', 'x-accel-redirect', '/b', 'Date', 'c'];
  const head = parse(fields, true);
  assert.deepEqual([head.sendfile, head.accelRedirect, head.headers], ['/a', '/b', ['Date', 'c']]);
  const untouched = parse(fields);
  assert.equal(untouched.sendfile, undefined);
  assert.deepEqual(untouched.headers, fields.slice(1));
});

test('answers without a body', () => {
  assert.deepEqual([200, 204, 205, 304, 404].map(isBodiless), [false, true, false, true, false]);
});
