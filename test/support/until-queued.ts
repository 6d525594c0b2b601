import assert from 'node:assert/strict';
import type { Easyserve } from './easyserve.js';
import { eventually } from './eventually.js';

/** Resolves when so many requests wait for a thread. */
export async function untilQueued(easyserve: Easyserve, count: number): Promise<void> {
  await eventually(async () => {
    const { sites } = await easyserve.status();
    const queued = sites.reduce((sum, site) => sum + site.queued, 0);
    assert.equal(queued, count);
  });
}
