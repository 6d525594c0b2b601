import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ChunkedBody } from '../../../../src/front/listen/chunked-body.js';

const limits = { maxBodyBytes: 1000, maxHeaderCount: 2, maxHeaderBytes: 1024 };

/** What of the text, given in pieces of this size, belongs to the body, and the status of a refusal. */
function read(text: string, size: number): { taken: number; isOver: boolean; status: number | undefined } {
  const body = new ChunkedBody(limits);
  const bytes = Buffer.from(text, 'latin1');
  let taken = 0;
  for (let at = 0; at < bytes.length && !body.isOver && body.refusal === undefined; at += size) {
    taken += body.take(bytes.subarray(at, at + size));
  }
  return { taken, isOver: body.isOver, status: body.refusal?.status };
}

for (const size of [1, 2, 7, 10_000]) {
  test(`a body ends behind its trailers, in pieces of ${size} bytes`, () => {
    for (const body of [
      '0\r\n\r\n',
      '5\r\nhello\r\n0\r\n\r\n',
      '5;a="b;c"\r\nhello\r\n003\r\n\r\n\n\r\n000;x\r\nA: b\r\nC: d\r\n\r\n',
      `3e8\r\n${'x'.repeat(1000)}\r\n0\r\n\r\n`,
    ]) {
      const next = 'GET / HTTP/1.1\r\n';
      assert.deepEqual(read(body + next, size), { taken: body.length, isOver: true, status: undefined });
    }
  });

  for (const [body, status] of [
    ['100000000\r\n', 400],
    ['ffffffffffffffff\r\n', 400],
    ['3e9\r\n', 413],
    ['ffffffff\r\n', 413],
    ['\r\n', 400],
    ['x\r\n', 400],
    [';a\r\n', 400],
    ['5\n', 400],
    ['5\r\nhello!\r\n', 400],
    ['0'.repeat(1100), 400],
    [`5;${'a'.repeat(1100)}`, 400],
    ['0\r\nA: b\r\nC: d\r\nE: f\r\n', 431],
    [`0\r\nA: ${'b'.repeat(1100)}`, 431],
    [`0\r\nA: ${'b'.repeat(600)}\r\nC: ${'d'.repeat(600)}\r\n`, 431],
  ] as const) {
    test(`${JSON.stringify(body.slice(0, 24))} is refused with ${status}, in pieces of ${size} bytes`, () => {
      assert.deepEqual({ ...read(body, size), taken: 0 }, { taken: 0, isOver: false, status });
    });
  }
}
