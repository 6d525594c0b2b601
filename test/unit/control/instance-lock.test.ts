import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { EasyserveError, type ErrorRecord, ExitCode } from '../../../src/contracts/errors.js';
import { acquireInstance, readInstance } from '../../../src/control/instance-lock.js';
import { identifyProcess, isProcessAlive } from '../../../src/control/process-identity.js';
import { type StateFolder, stateFolderOf } from '../../../src/control/state-folder.js';
import { makeTempDir } from '../../support/copy-fixture.js';
import { withDeadline } from '../../support/with-deadline.js';

type Outcome = { readonly recovered: boolean } | { readonly refused: ErrorRecord };

async function makeFolder(t: TestContext): Promise<{ project: string; folder: StateFolder }> {
  const project = makeTempDir(t);
  return { project, folder: await stateFolderOf(project) };
}

/** Number of a process that has ended. */
async function deadPid(): Promise<number> {
  const child = fork(fileURLToPath(new URL('./acquire-child.js', import.meta.url)), ['/nowhere'], {
    stdio: 'ignore',
  });
  await once(child, 'exit');
  return child.pid ?? 0;
}

async function forkStarter(t: TestContext, project: string): Promise<ChildProcess> {
  const child = fork(fileURLToPath(new URL('./acquire-child.js', import.meta.url)), [project]);
  t.after(() => child.kill('SIGKILL'));
  await withDeadline(once(child, 'message'), 20_000, () => 'the starter did not come up');
  return child;
}

/** All are told at the same moment. */
async function race(children: readonly ChildProcess[]): Promise<Outcome[]> {
  const outcomes = children.map(async (child) => (await once(child, 'message'))[0] as Outcome);
  for (const child of children) child.send('go');
  return withDeadline(Promise.all(outcomes), 20_000, () => 'a starter did not answer');
}

function expectOneWinner(children: readonly ChildProcess[], outcomes: readonly Outcome[]): Outcome {
  const winners = outcomes.filter((outcome) => 'recovered' in outcome);
  assert.equal(winners.length, 1, JSON.stringify(outcomes));
  const winner = children[outcomes.findIndex((outcome) => 'recovered' in outcome)];
  for (const outcome of outcomes) {
    if (!('refused' in outcome)) continue;
    assert.equal(outcome.refused.code, 'already-running');
    assert.equal(outcome.refused.exitCode, ExitCode.alreadyRunning);
    assert.ok(outcome.refused.message.includes(`process ${winner?.pid}`), outcome.refused.message);
  }
  return winners[0] as Outcome;
}

test('an instance holds its folder until it releases it, and leaves nothing', async (t) => {
  const { folder } = await makeFolder(t);
  const lock = await acquireInstance(folder);
  assert.equal(lock.recovered, false);
  assert.equal((await readInstance(folder))?.pid, process.pid);
  assert.ok(existsSync(folder.runFolder) && existsSync(folder.spoolFolder));
  await assert.rejects(acquireInstance(folder), (error) => {
    assert.ok(error instanceof EasyserveError);
    assert.equal(error.code, 'already-running');
    assert.match(error.message, new RegExp(`\\(process ${process.pid}\\)`));
    assert.match(error.hint ?? '', /easyserve reload.*easyserve stop/);
    return true;
  });
  writeFileSync(join(folder.spoolFolder, 'body-1'), 'x');
  writeFileSync(folder.controlSocket, '');
  await lock.release();
  assert.deepEqual(readdirSync(folder.path), ['.gitignore']);
});

test('of processes that start at the same moment one wins', async (t) => {
  const { project } = await makeFolder(t);
  const children = await Promise.all(Array.from({ length: 4 }, () => forkStarter(t, project)));
  assert.deepEqual(expectOneWinner(children, await race(children)), { recovered: false });
});

test('of processes that find the same dead instance at the same moment one wins', async (t) => {
  const { project, folder } = await makeFolder(t);
  const dead = { pid: await deadPid(), startTicks: '1', nonce: 'dead' };
  for (let round = 0; round < 5; round += 1) {
    writeFileSync(folder.pidFile, JSON.stringify({ ...dead, nonce: `dead-${round}` }));
    const children = await Promise.all(Array.from({ length: 3 }, () => forkStarter(t, project)));
    assert.deepEqual(expectOneWinner(children, await race(children)), { recovered: true });
    for (const child of children) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
  }
});

test('a starter that died while it took over a dead instance is succeeded', async (t) => {
  const { folder } = await makeFolder(t);
  const pid = await deadPid();
  writeFileSync(folder.pidFile, JSON.stringify({ pid, startTicks: '1', nonce: 'first' }));
  writeFileSync(`${folder.pidFile}.after-first`, JSON.stringify({ pid, startTicks: '1', nonce: 'second' }));
  const lock = await acquireInstance(folder);
  assert.equal(lock.recovered, true);
  assert.equal((await readInstance(folder))?.pid, process.pid);
  assert.deepEqual(
    readdirSync(folder.path).filter((name) => name.startsWith('easyserve.pid.')),
    [],
  );
  await lock.release();
});

test('a starter that is taking over a dead instance right now is not disturbed', async (t) => {
  const { folder } = await makeFolder(t);
  const live = { ...(await identifyProcess(process.ppid)), nonce: 'second' };
  writeFileSync(folder.pidFile, JSON.stringify({ pid: await deadPid(), startTicks: '1', nonce: 'first' }));
  writeFileSync(`${folder.pidFile}.after-first`, JSON.stringify(live));
  await assert.rejects(acquireInstance(folder), {
    code: 'already-running',
    message: `This folder is served already (process ${process.ppid}).`,
  });
});

test('what a killed instance left is removed', async (t) => {
  const { folder } = await makeFolder(t);
  writeFileSync(folder.pidFile, JSON.stringify({ pid: await deadPid(), startTicks: '1', nonce: 'dead' }));
  for (const path of [join(folder.runFolder, 'run-1'), folder.spoolFolder])
    mkdirSync(path, { recursive: true });
  writeFileSync(join(folder.runFolder, 'run-1', 'app-1-1.sock'), '');
  writeFileSync(join(folder.spoolFolder, 'body-1'), 'x');
  writeFileSync(folder.controlSocket, '');
  const lock = await acquireInstance(folder);
  assert.equal(lock.recovered, true);
  assert.deepEqual(readdirSync(folder.runFolder), []);
  assert.deepEqual(readdirSync(folder.spoolFolder), []);
  assert.equal(existsSync(folder.controlSocket), false);
  await lock.release();
});

test('a pid that was given to another process is a dead instance', async (t) => {
  const { folder } = await makeFolder(t);
  const self = await identifyProcess(process.pid);
  assert.equal(await isProcessAlive(self), true);
  const former = { ...self, startTicks: String(Number(self.startTicks) - 1), nonce: 'former' };
  assert.equal(await isProcessAlive(former), false);
  writeFileSync(folder.pidFile, JSON.stringify(former));
  const lock = await acquireInstance(folder);
  assert.equal(lock.recovered, true);
  await lock.release();
});

test('a pid from before the machine was started again is a dead instance', async () => {
  const self = await identifyProcess(process.pid);
  assert.equal(await isProcessAlive({ ...self, bootId: 'another' }), false);
});

for (const content of ['', '{"pid":', '1234\n', 'null', '{"pid":0,"nonce":"x"}', '{"pid":-1,"nonce":"x"}']) {
  test(`a pid file that holds ${JSON.stringify(content)} is a dead instance's`, async (t) => {
    const { folder } = await makeFolder(t);
    writeFileSync(folder.pidFile, content);
    const lock = await acquireInstance(folder);
    assert.equal(lock.recovered, true);
    assert.equal((await readInstance(folder))?.pid, process.pid);
    await lock.release();
  });
}

test('a damaged claim on a damaged pid file is refused with the way out, not followed without end', async (t) => {
  const { project, folder } = await makeFolder(t);
  mkdirSync(folder.path, { recursive: true, mode: 0o700 });
  writeFileSync(folder.pidFile, '');
  const claim = `${folder.pidFile}.after-unreadable`;
  writeFileSync(claim, '');

  const [outcome] = await race([await forkStarter(t, project)]);

  assert.ok(outcome !== undefined && 'refused' in outcome, JSON.stringify(outcome));
  assert.equal(outcome.refused.code, 'state-folder-unusable');
  assert.equal(outcome.refused.hint, `rm ${claim}`);

  rmSync(claim);
  await (await acquireInstance(folder)).release();
});

test('an instance that answers is alive, whatever the pid file says', async (t) => {
  const { folder } = await makeFolder(t);
  const server = createServer().listen(folder.controlSocket);
  await once(server, 'listening');
  t.after(() => server.close());
  const pid = await deadPid();
  writeFileSync(folder.pidFile, JSON.stringify({ pid, startTicks: '1', nonce: 'elsewhere' }));
  await assert.rejects(acquireInstance(folder), {
    code: 'already-running',
    message: `This folder is served already (process ${pid}, perhaps in another container).`,
  });
  rmSync(folder.pidFile);
  await assert.rejects(acquireInstance(folder), {
    code: 'already-running',
    message: 'This folder is served already.',
  });
});

test('release leaves the pid file of a successor alone', async (t) => {
  const { folder } = await makeFolder(t);
  const lock = await acquireInstance(folder);
  const successor = JSON.stringify({ pid: process.ppid, nonce: 'successor' });
  writeFileSync(folder.pidFile, successor);
  await lock.release();
  assert.equal(readFileSync(folder.pidFile, 'utf8'), successor);
});
