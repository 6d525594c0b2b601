import assert from 'node:assert/strict';
import { appendFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '../support/eventually.js';
import { forEachMode } from '../support/for-each-mode.js';
import { ask } from '../support/http-client.js';
import type { LogRecord } from '../support/record-stream.js';
import { startEasyserve } from '../support/start-easyserve.js';

/** Once there is a file `broken`, each process of the application exits a moment after its start. */
const exitsWhenBroken = `
def exit_when_broken():
    time.sleep(0.05)
    while not os.path.exists('broken'):
        time.sleep(0.05)
    os._exit(9)

print('started', flush=True)
threading.Thread(target=exit_when_broken, daemon=True).start()
`;

forEachMode(['single', 'cluster'], (mode, testIn) => {
  testIn(
    'an application that exits again and again is restarted ever later, and visitors get a 503',
    async (t) => {
      const easyserve = await startEasyserve(t, {
        fixture: 'wsgi-hello',
        mode,
        settings: { restartBackoffMs: 100, restartBackoffMaxMs: 2_000, restartBudget: 5 },
        prepare: (dir) => appendFileSync(join(dir, 'app.py'), exitsWhenBroken),
      });
      const flag = join(easyserve.dir, 'broken');

      writeFileSync(flag, '');
      const loop = await easyserve.waitFor('crash-loop');
      assert.ok(Number(loop.nextTryMs) <= 2_000 * 1.25);
      // At once: it does not wait in the queue.
      const refused = await ask(easyserve.url, '/version', { timeoutMs: 1_500 });
      assert.equal(refused.status, 503);
      assert.ok(Number(refused.headers['retry-after']) > 0);
      const status = await easyserve.status();
      assert.equal(status.state, 'running');

      rmSync(flag);
      await eventually(async () => assert.equal((await ask(easyserve.url, '/version')).status, 200));
      if (mode === 'single') assertGrowing(pausesBetweenStarts(easyserve.records));
    },
  );
});

/** Milliseconds from start to start of the process that was restarted. */
function pausesBetweenStarts(records: readonly LogRecord[]): number[] {
  const times = records
    .filter(({ event, msg }) => event === 'application' && msg === 'started')
    .map(({ time }) => Date.parse(String(time)));
  // The first process ran until the flag was there, so its restart tells nothing.
  return times.slice(2).map((time, index) => time - (times[index + 1] ?? 0));
}

/** From 200 ms to two seconds, give or take a quarter, beside what a start takes. */
function assertGrowing(pauses: readonly number[]): void {
  assert.ok(pauses.length >= 3, `pauses: ${pauses}`);
  assert.ok((pauses.at(-1) ?? 0) > (pauses[0] ?? 0) + 500, `pauses: ${pauses}`);
}
