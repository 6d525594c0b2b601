import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { ControlServer } from '../../../src/control/control-server.js';
import { stateFolderOf } from '../../../src/control/state-folder.js';
import { makeTempDir } from '../../support/copy-fixture.js';
import { repositoryRoot } from '../../support/repository.js';
import { withDeadline } from '../../support/with-deadline.js';

const entry = fileURLToPath(new URL('./run-main.js', import.meta.url));

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

async function toEnd(child: ChildProcess): Promise<Ended> {
  let stdout = '';
  let stderr = '';
  child.stdout?.setEncoding('utf8').on('data', (chunk) => {
    stdout += chunk;
  });
  child.stderr?.setEncoding('utf8').on('data', (chunk) => {
    stderr += chunk;
  });
  const [code] = await withDeadline(once(child, 'close'), 30_000, () => `it did not end; ${stdout}${stderr}`);
  return { code, stdout, stderr };
}

function easyserve(cwd: string, ...argv: string[]): Promise<Ended> {
  return toEnd(spawn(process.execPath, [entry, ...argv], { cwd, stdio: ['ignore', 'pipe', 'pipe'] }));
}

test('the process ends with the exit code of the verb', async (t) => {
  const folder = makeTempDir(t);
  const [version, unknown, missing] = await Promise.all([
    easyserve(folder, '--version'),
    easyserve(folder, 'strat'),
    easyserve(folder, 'status'),
  ]);
  assert.match(version.stdout, /^\d+\.\d+\.\d+\n$/);
  assert.equal(version.code, 0);
  assert.deepEqual(unknown, {
    code: 2,
    stdout: '',
    stderr: "easyserve: unknown command 'strat'\n  fix: did you mean start?\n",
  });
  assert.equal(missing.code, 8);
});

test('all that was printed arrives before the process ends', async (t) => {
  const project = await makeChattyInstance(t, 20_000);
  const ended = await easyserve(project, 'logs', '-n', '20000');
  assert.equal(ended.code, 0);
  assert.equal(ended.stdout.split('\n').length, 20_001);
});

test('a reader that has seen enough ends the command without a word', async (t) => {
  const project = await makeChattyInstance(t, Number.POSITIVE_INFINITY);
  const child = spawn(process.execPath, [entry, 'logs', '-f'], {
    cwd: project,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  await withDeadline(once(child.stdout, 'readable'), 20_000, () => 'nothing was printed');
  child.stdout.destroy();
  const { code, stderr } = await toEnd(child);
  assert.equal(stderr, '');
  assert.equal(code, 0);
});

/** An instance with that many log lines; it remembers 20,000 at most. */
async function makeChattyInstance(t: TestContext, lines: number): Promise<string> {
  const project = makeTempDir(t);
  const { controlSocket } = await stateFolderOf(project);
  const server = await ControlServer.listen(controlSocket, async (request, { line, signal }) => {
    const follow = request.verb === 'logs' && request.follow;
    for (
      let number = 0;
      number < (follow ? lines : Math.min(lines, 20_000)) && !signal.aborted;
      number += 1
    ) {
      line(`line ${number}`);
      if (number % 100 === 99) await new Promise((resolve) => setImmediate(resolve));
    }
  });
  t.after(() => server.close());
  return project;
}

test('a checkout that was not built says how to build it', async (t) => {
  const folder = makeTempDir(t);
  mkdirSync(join(folder, 'bin'));
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  copyFileSync(join(repositoryRoot, 'bin', 'easyserve.js'), join(folder, 'bin', 'easyserve.js'));
  const ended = await toEnd(spawn(process.execPath, [join(folder, 'bin', 'easyserve.js'), 'start']));
  assert.deepEqual(ended, {
    code: 1,
    stdout: '',
    stderr: 'easyserve: this checkout has not been built yet.\n  fix: npm run build\n',
  });
});

test('a Node that is too old is told so, in one sentence', async () => {
  const old =
    "Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '18.20.1' } })";
  const ended = await toEnd(
    spawn(process.execPath, [
      '--import',
      `data:text/javascript,${old}`,
      join(repositoryRoot, 'bin', 'easyserve.js'),
    ]),
  );
  assert.deepEqual(ended, {
    code: 1,
    stdout: '',
    stderr: 'easyserve: Node 18.20.1 is too old; easyserve needs Node 20.19 or later.\n',
  });
});

test('the command file can be run by its name', async () => {
  const { stdout } = await promisify(execFile)('head', ['-1', join(repositoryRoot, 'bin', 'easyserve.js')]);
  assert.equal(stdout, '#!/usr/bin/env node\n');
});
