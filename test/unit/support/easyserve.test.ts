import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { makeTempDir } from '../../support/copy-fixture.js';
import { Easyserve } from '../../support/easyserve.js';
import { eventually } from '../../support/eventually.js';
import { descendantsOf, isAlive } from '../../support/processes.js';
import { testIdVariable } from '../../support/run-easyserve.js';

/** A stand-in program: says that it is ready, does what `extra` says, and ends on SIGTERM. */
function launch(t: TestContext, extra = ''): Easyserve {
  const dir = makeTempDir(t);
  const program = `
    const fs = require('node:fs'), net = require('node:net'), { spawn } = require('node:child_process');
    const say = (record) => console.log(JSON.stringify(record));
    process.on('SIGTERM', () => process.exit(0));
    ${extra}
    say({ event: 'ready', url: 'http://127.0.0.1:1/', mode: 'single', pid: process.pid });
    setInterval(() => {}, 1000);`;
  const testId = randomUUID();
  const child = spawn(process.execPath, ['-e', program], {
    cwd: dir,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, [testIdVariable]: testId },
  });
  const easyserve = new Easyserve(child, { dir, tmp: dir, testId });
  t.after(() => easyserve.killEverything());
  return easyserve;
}

const child = `spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { detached: true, stdio: 'ignore' }).unref();`;

test('a program that ends cleanly passes', async (t) => {
  const easyserve = launch(t);
  await easyserve.untilReady(10_000);
  assert.equal(easyserve.url, 'http://127.0.0.1:1/');
  assert.equal(easyserve.at('/echo?a=b'), 'http://127.0.0.1:1/echo?a=b');
  await easyserve.end();
  assert.deepEqual(await easyserve.ended, { code: 0, signal: null });
});

test('a process left behind in a group of its own fails the test, and is killed', async (t) => {
  const easyserve = launch(t, child);
  await easyserve.untilReady(10_000);
  const [orphan] = descendantsOf(easyserve.pid);
  assert.ok(orphan !== undefined);
  await assert.rejects(easyserve.end(), new RegExp(`left processes behind: ${orphan} .*setInterval`));
  await eventually(() => assert.equal(isAlive(orphan), false));
});

test('after SIGKILL orphans have time to notice, and files may stay', async (t) => {
  const easyserve = launch(
    t,
    `fs.writeFileSync('easyserve.pid', '1');
     spawn(process.execPath, ['-e', 'process.stdin.on("end", () => process.exit()).resume()'], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] });`,
  );
  await easyserve.untilReady(10_000);
  easyserve.signal('SIGKILL');
  await easyserve.end();
  assert.deepEqual(await easyserve.ended, { code: null, signal: 'SIGKILL' });
  assert.ok(existsSync(join(easyserve.dir, 'easyserve.pid')));
});

const files: Record<string, string> = {
  'control.sock': `net.createServer().listen('.easyserve/control.sock'); process.removeAllListeners('SIGTERM'); process.on('SIGTERM', () => process.reallyExit(0));`,
  'easyserve.pid': `fs.writeFileSync('.easyserve/easyserve.pid', '1');`,
  'spool/body-1': `fs.mkdirSync('.easyserve/spool'); fs.writeFileSync('.easyserve/spool/body-1', '1');`,
};

for (const [name, make] of Object.entries(files)) {
  test(`${name} left behind fails the test`, async (t) => {
    const easyserve = launch(t, `fs.mkdirSync('.easyserve'); ${make}`);
    await easyserve.untilReady(10_000);
    await eventually(() => assert.ok(existsSync(join(easyserve.dir, '.easyserve', name))));
    await assert.rejects(easyserve.end(), new RegExp(`left files behind: .*/\\.easyserve/${name}$`));
  });
}

test('an exit before ready rejects with what was printed', async (t) => {
  const easyserve = launch(t, `console.error('the port is taken'); process.exitCode = 6; process.exit();`);
  await assert.rejects(easyserve.untilReady(10_000), /exited \(6\) before "ready"\nthe port is taken/);
});

test('waitFor goes on behind the record that it found, and says when the time is over', async (t) => {
  const easyserve = launch(
    t,
    `let generation = 1; process.on('SIGHUP', () => say({ event: 'reloaded', generation: ++generation }));`,
  );
  await easyserve.untilReady(10_000);
  easyserve.signal('SIGHUP');
  assert.equal((await easyserve.waitFor('reloaded')).generation, 2);
  await assert.rejects(easyserve.waitFor('reloaded', undefined, 50), /timed out after 50 ms: no "reloaded"/);
  easyserve.signal('SIGHUP');
  assert.equal((await easyserve.waitFor('reloaded', (record) => record.generation === 3)).generation, 3);
  const waiting = easyserve.waitFor('reloaded');
  easyserve.signal('SIGTERM');
  await assert.rejects(waiting, /exited \(0\) before "reloaded"/);
});
