import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { TestContext } from 'node:test';
import { makeTempDir } from '../support/copy-fixture.js';
import { forEachMode } from '../support/for-each-mode.js';
import { testPython } from '../support/python-env.js';
import { startEasyserve } from '../support/start-easyserve.js';
import { listSystemCalls } from '../support/strace.js';
import { withDeadline } from '../support/with-deadline.js';

/**
 * What else is written in the project's folder must cost the settings watch nothing: the system tells the name of each file that is
 * written there, and no more is to be asked.
 *
 * For two seconds a log grows by 1,000 lines a second, and a SQLite database is written as often as the disk allows, its journal coming
 * and going.
 */
const neighbours = `
import sqlite3, time
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

/** Calls that list a folder, look at a file, or watch one; and those by which the names of the neighbours arrive. */
const looks = '%file,getdents,getdents64,fstat,inotify_add_watch';

forEachMode(['single', 'cluster'], (mode, testIn) => {
  testIn('a busy neighbour of the settings file causes no listing and no look at a file', async (t) => {
    const easyserve = await startEasyserve(t, { mode, fixture: 'wsgi-hello' });
    const calls = await listSystemCalls(easyserve.pid, makeTempDir(t), `${looks},read`, async () => {
      const written = await runNeighbours(t, easyserve.dir);
      assert.ok(written > 200, `the neighbours wrote ${written} lines only`);
    });
    const told = calls.filter((call) => /read\(\d+<anon_inode:inotify>/.test(call));
    assert.ok(told.length > 20, `the names of the neighbours arrive: ${told.length} times`);
    // What it looks at elsewhere (memory counters) has nothing to do with the neighbours.
    assert.deepEqual(looksAt(easyserve.dir, calls), []);

    // And what is looked for is still seen, and counted here.
    const reload = await listSystemCalls(easyserve.pid, makeTempDir(t), looks, async () => {
      easyserve.writeFile('easyserve.toml', 'logLevel = "debug"\n');
      await easyserve.waitFor('reloaded');
    });
    assert.notDeepEqual(looksAt(easyserve.dir, reload), []);
  });
});

/** Those that name the folder or what lies in it, be it relative to the working directory, which strace tells each time. */
function looksAt(folder: string, calls: readonly string[]): string[] {
  return calls.filter((call) => {
    const named = call.replaceAll(/AT_FDCWD<[^>]*>/g, '');
    return !/ read\(/.test(call) && (named.includes(folder) || /[ (]"[^/"]/.test(named));
  });
}

/** Resolves with the lines that were written. */
async function runNeighbours(t: TestContext, folder: string): Promise<number> {
  const child: ChildProcess = spawn(testPython(), ['-c', neighbours], {
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
