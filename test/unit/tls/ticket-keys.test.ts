import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TicketKeys } from '../../../src/tls/ticket-keys.js';
import { FakeClock } from '../../support/fake-clock.js';

test('ticket keys are 48 random bytes, and new ones every day until they are stopped', () => {
  const clock = new FakeClock();
  const rotated: string[] = [];
  const keys = new TicketKeys({ clock, onRotated: (ticketKeys) => rotated.push(ticketKeys) });
  const first = keys.current;
  assert.equal(Buffer.from(first, 'base64').length, 48);
  clock.advance(86_399_999);
  assert.equal(keys.current, first);
  clock.advance(1);
  assert.deepEqual(rotated, [keys.current]);
  clock.advance(86_400_000);
  assert.equal(new Set([first, ...rotated]).size, 3);
  keys.stop();
  assert.equal(clock.pending, 0);
});
