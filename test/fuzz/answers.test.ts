import assert from 'node:assert/strict';
import fc from 'fast-check';
import { hopByHopHeaders } from '../../src/front/hop-by-hop.js';
import { Http2Fields } from '../../src/front/listen/http2/http2-fields.js';
import { parseAnswerHead } from '../../src/front/upstream/answer-head.js';
import { fieldValue, textOf, token } from '../support/arbitraries.js';
import { forAll } from '../support/for-all.js';

// What comes from an application on its way to the client.

const name = fc.oneof(
  token,
  fc.constantFrom(
    'Connection',
    'Transfer-Encoding',
    'Content-Length',
    'Set-Cookie',
    'Vary',
    '__proto__',
    'X-Sendfile',
  ),
);
const fields = fc.array(
  fc.tuple(name, fc.oneof(fieldValue, fc.constantFrom('0', '12', '-1', '1e3', ' ', '+5'))),
  {
    maxLength: 12,
  },
);

forAll(
  'the head of an answer is read, or refused in words, and says nothing about the connection',
  fc.record({ status: fc.oneof(fc.constant('200 OK'), textOf('12345 xOK\r\n')), fields }),
  ({ status, fields }) => {
    let head: ReturnType<typeof parseAnswerHead>;
    try {
      head = parseAnswerHead([status, ...fields.flat()].join('\0'), { takesSendfile: true });
    } catch (error) {
      assert.match(String(error), /^Error: (?:status|Content-Length) "/);
      return;
    }
    assert.ok(head.status >= 200 && head.status <= 999);
    assert.ok(head.contentLength === undefined || head.contentLength >= 0);
    assert.equal(head.headers.length % 2, 0);
    for (const [at, text] of head.headers.entries()) {
      if (at % 2 === 0) assert.ok(!hopByHopHeaders.has(text.toLowerCase()), text);
    }
  },
);

forAll('over HTTP/2 names are in lower case, values have no margins, and none is lost', fields, (fields) => {
  const answer = new Http2Fields();
  for (const [name, value] of fields) answer.add(name, value);
  const head = answer.toHead(200);
  assert.equal(head[':status'], 200);
  for (const [key, value] of Object.entries(head)) {
    assert.equal(key, key.toLowerCase());
    assert.ok(!hopByHopHeaders.has(key), key);
    for (const text of [value].flat()) assert.doesNotMatch(String(text), /^[ \t]|[ \t]$/);
  }
  for (const [name] of fields)
    assert.ok(hopByHopHeaders.has(name.toLowerCase()) || name.toLowerCase() in head, name);
  const cookies = fields.filter(([name]) => name === 'Set-Cookie').length;
  assert.equal([head['set-cookie'] ?? []].flat().length, cookies);
});
