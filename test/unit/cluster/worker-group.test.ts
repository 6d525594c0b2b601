import assert from 'node:assert/strict';
import type { Worker } from 'node:cluster';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { WorkerGroup } from '../../../src/cluster/worker-group.js';
import { makeTempDir } from '../../support/copy-fixture.js';

/** The signals that somebody in this process listens for. */
function heardSignals(): string[] {
  return Object.keys(constants.signals).filter((signal) => process.listenerCount(signal) > 0);
}

test('throng forks the workers and answers no signal, a resized terminal (SIGWINCH) neither', async (t) => {
  const entry = join(makeTempDir(t), 'entry.mjs');
  writeFileSync(entry, 'process.disconnect();');
  const before = heardSignals();
  const workers: Worker[] = [];
  const group = new WorkerGroup(entry);

  await new Promise<void>((resolve) => {
    const take = (worker: Worker): void => {
      if (workers.push(worker) === 3) resolve();
    };
    void group.start(2, take).then(() => group.add());
  });

  assert.deepEqual(heardSignals(), before);
  await Promise.all(workers.map((worker) => once(worker, 'exit')));
});
