import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  longestHoldMs,
  pollDelayMs,
  renewalTimeMs,
  retryDelayMs,
} from '../../../../src/tls/acme/renewal-policy.js';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

const never = (): number => 0;

for (const days of [6, 45, 64, 90]) {
  test(`a certificate for ${days} days is renewed after two thirds of them, or a little earlier`, () => {
    const lifetimeMs = days * dayMs;
    const at = (chance: number): number =>
      renewalTimeMs({ notBeforeMs: 1_000, notAfterMs: 1_000 + lifetimeMs, chance }, undefined);
    assert.equal(at(0), 1_000 + (lifetimeMs * 2) / 3);
    assert.ok(at(0.999) >= 1_000 + lifetimeMs * 0.64 && at(0.999) < at(0.5) && at(0.5) < at(0));
  });
}

test("the authority's window decides, and the moment within it is spread over all of it", () => {
  const window = { startMs: 10 * dayMs, endMs: 12 * dayMs };
  const at = (chance: number): number =>
    renewalTimeMs({ notBeforeMs: 0, notAfterMs: 90 * dayMs, chance }, window);
  assert.equal(at(0), 10 * dayMs);
  assert.equal(at(0.5), 11 * dayMs);
  assert.ok(at(0.999) > 11.9 * dayMs && at(0.999) <= 12 * dayMs);
});

test('a window after the expiry is cut there, and one that ends before it begins is none', () => {
  const certificate = { notBeforeMs: 0, notAfterMs: 90 * dayMs, chance: 0.5 };
  const late = renewalTimeMs(certificate, { startMs: 200 * dayMs, endMs: 300 * dayMs });
  assert.equal(late, 90 * dayMs);
  const upsideDown = renewalTimeMs(certificate, { startMs: 20 * dayMs, endMs: 10 * dayMs });
  assert.equal(upsideDown, renewalTimeMs(certificate, undefined));
});

test('the pauses after failures grow from a minute to six hours, and stay there', () => {
  const minutes = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 500].map(
    (failures) => retryDelayMs(failures, undefined, never) / minuteMs,
  );
  assert.deepEqual(minutes, [1, 2, 5, 10, 20, 30, 60, 120, 240, 360, 360, 360]);
  assert.equal(
    retryDelayMs(10, undefined, () => 0.5),
    360 * minuteMs * 1.05,
  );
});

test('Retry-After counts as the least, unless it is beyond reason', () => {
  assert.equal(retryDelayMs(1, 3 * hourMs, never), 3 * hourMs);
  assert.equal(retryDelayMs(9, 3 * hourMs, never), 4 * hourMs);
  assert.equal(retryDelayMs(1, 7 * dayMs, never), 7 * dayMs);
  assert.ok(retryDelayMs(1, 3650 * dayMs, () => 1) <= longestHoldMs);
});

test('a window is asked for again when the authority says, between a minute and a day', () => {
  assert.equal(pollDelayMs(undefined), 6 * hourMs);
  assert.equal(pollDelayMs(2 * hourMs), 2 * hourMs);
  assert.equal(pollDelayMs(0), minuteMs);
  assert.equal(pollDelayMs(365 * dayMs), dayMs);
});
