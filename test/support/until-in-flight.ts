import assert from 'node:assert/strict';
import type { Easyserve } from './easyserve.js';
import { eventually } from './eventually.js';

/** Waits until the application processes work on so many requests in all. */
export async function untilInFlight(easyserve: Easyserve, count: number): Promise<void> {
  await eventually(async () => {
    const apps = await easyserve.apps();
    assert.equal(
      apps.reduce((sum, { inFlight }) => sum + inFlight, 0),
      count,
    );
  });
}
