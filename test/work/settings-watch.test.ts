import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { TestContext } from 'node:test';
import { makeTempDir } from '../support/copy-fixture.js';
import { forEachMode } from '../support/for-each-mode.js';
import { testPython } from '../support/python-env.js';
import { startEasyserve } from '../support/start-easyserve.js';
import { countSystemCalls, describeCalls } from '../support/strace.js';
import { withDeadline } from '../support/with-deadline.js';

/**
 * What else is written in the project's folder must cost the settings watch nothing: the system tells the name of each file that is
 * written there, and no more is to be asked.
 *
 * For two seconds a log grows by 1,000 lines a second, and a SQLite database is written as often as the disk allows, its journal coming
 * and going. What easyserve looks at in two seconds of rest (memory counters) is looked at then as well.
 */
const neighbours = `
import sqlite3, sys, time
if sys.argv[1] == 'rest':
    time.sleep(2)
    print(0)
    sys.exit()
database = sqlite3.connect('neighbour.sqlite3', isolation_level=None)
database.execute('CREATE TABLE IF NOT EXISTS entries (text)')
log = open('neighbour.log', 'a', buffering=1)
written = 0
began = time.monotonic()
while time.monotonic() - began < 2:
    log.write('a line\\n')
    if written % 10 == 0:
        database.execute('INSERT INTO entries VALUES (1)')
    written += 1
    time.sleep(max(0, began + written / 1000 - time.monotonic()))
print(written)
`;

/** Calls that list a folder, or look at a file. */
const looks = /^(getdents(64)?|l?stat|statx|newfstatat|fstatat64|inotify_add_watch|openat?)$/;

forEachMode(['single', 'cluster'], (mode, testIn) => {
  testIn('a busy neighbour of the settings file causes no listing and no look at a file', async (t) => {
    const easyserve = await startEasyserve(t, { mode, fixture: 'wsgi-hello' });
    const atRest = await countSystemCalls(easyserve.pid, makeTempDir(t), async () => {
      assert.equal(await runNeighbours(t, easyserve.dir, 'rest'), 0);
    });
    const calls = await countSystemCalls(easyserve.pid, makeTempDir(t), async () => {
      const written = await runNeighbours(t, easyserve.dir, 'busy');
      assert.ok(written > 200, `the neighbours wrote ${written} lines only`);
    });
    const reads = calls.get('read') ?? 0;
    assert.ok(reads > 20, `the names of the neighbours arrive: ${describeCalls(calls, 1)}`);
    for (const [name, count] of calls) {
      if (!looks.test(name)) continue;
      // A timer may fire once more in a measurement that takes a little longer.
      const most = (atRest.get(name) ?? 0) + 3;
      assert.ok(count <= most, `${name}: ${count} calls, at rest ${atRest.get(name) ?? 0}`);
    }

    // And what is looked for is still seen.
    easyserve.writeFile('easyserve.toml', 'logLevel = "debug"\n');
    await easyserve.waitFor('reloaded');
  });
});

/** Resolves with the lines that were written. */
async function runNeighbours(t: TestContext, folder: string, how: 'busy' | 'rest'): Promise<number> {
  const child: ChildProcess = spawn(testPython(), ['-c', neighbours, how], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(() => child.kill('SIGKILL'));
  let output = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  const [code] = await withDeadline(once(child, 'close'), 30_000, () => 'the neighbours do not end');
  assert.equal(code, 0, output);
  return Number(output);
}
