import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeFailedChallenge, readRetryAfterMs } from '../../../../src/tls/acme/acme-problem.js';

/** As Let's Encrypt and Pebble word them. */
const cases = [
  [
    'http-01',
    'dns',
    'DNS problem: NXDOMAIN looking up A for a.example',
    'acme-dns',
    'The DNS does not know a.example.',
  ],
  [
    'http-01',
    'dns',
    'DNS problem: SERVFAIL looking up A for a.example',
    'acme-dns',
    'The DNS servers of a.example fail.',
  ],
  [
    'http-01',
    'dns',
    'no valid A records found for a.example',
    'acme-dns',
    'The DNS has no usable address for a.example.',
  ],
  [
    'http-01',
    'connection',
    'could not resolve URL "http://a.example"',
    'acme-dns',
    'The DNS has no usable address for a.example.',
  ],
  [
    'http-01',
    'connection',
    '192.0.2.1: Fetching http://a.example/: Connection refused',
    'acme-unreachable',
    'Port 80 of a.example refuses connections.',
  ],
  [
    'tls-alpn-01',
    'connection',
    '192.0.2.1: Timeout during connect (likely firewall problem)',
    'acme-unreachable',
    "Port 443 of a.example can't be reached from the internet.",
  ],
  [
    'http-01',
    'unauthorized',
    'Invalid response from http://a.example/: 404',
    'acme-wrong-answer',
    'Port 80 of a.example answers from another machine, or another server on this one.',
  ],
  [
    'tls-alpn-01',
    'tls',
    'remote error: handshake failure',
    'acme-tls',
    'Port 443 of a.example does not speak TLS with the certificate authority.',
  ],
  [
    'http-01',
    'caa',
    'CAA record for a.example prevents issuance',
    'acme-caa',
    'The CAA records of a.example forbid this certificate authority.',
  ],
  [
    'http-01',
    'somethingNew',
    'the moon is full',
    'acme-challenge-failed',
    'The certificate authority could not check a.example: the moon is full',
  ],
] as const;

for (const [challenge, type, detail, code, sentence] of cases) {
  test(`${challenge}, ${type}: ${sentence}`, () => {
    const given = { type: `urn:ietf:params:acme:error:${type}`, detail };
    const failure = describeFailedChallenge('a.example', challenge, given);
    assert.deepEqual([failure.code, failure.message], [code, sentence]);
    assert.equal(failure.detail, `${challenge}: ${detail}`);
    assert.match(failure.hint ?? '', /./);
  });
}

test('a challenge without a reason is told as such', () => {
  const failure = describeFailedChallenge('a.example', 'http-01', undefined);
  assert.equal(failure.message, 'The certificate authority could not check a.example: no reason given');
});

test('Retry-After is seconds or a date', () => {
  const nowMs = Date.parse('2026-03-01T12:00:00Z');
  assert.equal(readRetryAfterMs('120', nowMs), 120_000);
  assert.equal(readRetryAfterMs('Sun, 01 Mar 2026 12:01:00 GMT', nowMs), 60_000);
  assert.equal(readRetryAfterMs('Sun, 01 Mar 2026 11:00:00 GMT', nowMs), 0);
  for (const nothing of [undefined, '', 'soon', '-5']) {
    const delay = readRetryAfterMs(nothing, nowMs);
    assert.ok(delay === undefined || delay === 0, nothing);
  }
});
