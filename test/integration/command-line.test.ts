import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { makeTempDir } from '../support/copy-fixture.js';
import type { Easyserve } from '../support/easyserve.js';
import { eventually } from '../support/eventually.js';
import { forEachMode, integrationTimeoutMs } from '../support/for-each-mode.js';
import { ask } from '../support/http-client.js';
import { repositoryRoot } from '../support/repository.js';
import { easyserveBin, easyserveEnvironment, runEasyserve } from '../support/run-easyserve.js';
import { startEasyserve } from '../support/start-easyserve.js';

forEachMode(['single', 'cluster'], (mode, testIn) => {
  testIn('status: a table for people, all that is documented for programs', async (t) => {
    const easyserve = await startEasyserve(t, { fixture: 'wsgi-hello', mode });
    await ask(easyserve.url, '/version');
    const status = await easyserve.status();
    assert.deepEqual(
      [status.state, status.mode, status.pid, status.urls, status.generation],
      ['running', mode, easyserve.pid, [easyserve.url], 1],
    );
    assert.ok(Date.parse(status.startedAt) <= Date.now());
    assert.equal(status.project.kind, 'wsgi');
    assert.equal(status.project.root, easyserve.dir);
    assert.equal(status.sites.length, 1);
    const apps = status.sites.flatMap((site) => site.apps);
    assert.equal(apps.length, mode === 'single' ? 1 : 2);
    for (const app of apps) {
      assert.deepEqual(
        [app.state, app.generation, app.threads, app.inFlight, app.restarts],
        ['ready', 1, mode === 'single' ? 10 : 4, 0, 0],
      );
      assert.ok((app.rssBytes ?? 0) > 1_000_000);
    }
    // The probes of the start count too.
    assert.ok(apps.reduce((sum, app) => sum + app.requests, 0) >= 1);

    const { code, stdout } = await easyserve.cli('status');
    assert.equal(code, 0);
    for (const shown of [`state    running`, easyserve.url, String(easyserve.pid), 'IN FLIGHT', 'ready']) {
      assert.ok(stdout.includes(shown), `${shown} is missing in\n${stdout}`);
    }
  });

  testIn('reload, scale and restart say what they have done', async (t) => {
    const easyserve = await startEasyserve(t, { fixture: 'wsgi-hello', mode, inFile: true });
    easyserve.writeSettings({ threads: 3 });
    const reloaded = await easyserve.cli('reload');
    assert.equal(reloaded.code, 0, reloaded.stderr);
    assert.match(reloaded.stdout, /^Reloaded: generation \d serves\.$/m);

    const scaled = await easyserve.cli('scale', '3');
    assert.deepEqual([scaled.code, scaled.stdout], [0, '3 application processes serve.\n'], scaled.stderr);
    assert.equal((await easyserve.apps()).filter(({ state }) => state === 'ready').length, 3);

    const restarted = await easyserve.cli('restart');
    assert.equal(restarted.code, 0, restarted.stderr);
    assert.match(restarted.stdout, /^Restarted: generation \d serves\.$/m);
    const apps = await easyserve.apps();
    assert.equal(
      apps.length,
      mode === 'single' ? 1 : 2,
      'a restart takes the number from the settings again',
    );
    assert.ok(apps.every(({ threads }) => threads === 3));
    assert.equal((await ask(easyserve.url, '/version')).status, 200);
  });

  testIn('logs: so many of the latest lines, or all that follow', async (t) => {
    const easyserve = await startEasyserve(t, { fixture: 'wsgi-hello', mode });
    for (const n of [1, 2, 3]) await ask(easyserve.url, `/version?n=${n}`);
    await easyserve.waitFor('access', ({ path }) => path === '/version?n=3');
    const last = (await easyserve.cli('logs', '-n', '2')).stdout.trimEnd().split('\n');
    assert.deepEqual(
      last.map((line) => JSON.parse(line).path),
      ['/version?n=2', '/version?n=3'],
    );

    const follower = followLogs(t, easyserve);
    await untilFollowing(easyserve, follower);
    follower.child.kill('SIGINT');
    assert.deepEqual(await once(follower.child, 'exit'), [0, null]);
  });

  testIn('logs --follow ends with the instance', async (t) => {
    const easyserve = await startEasyserve(t, { fixture: 'wsgi-hello', mode });
    const follower = followLogs(t, easyserve);
    await untilFollowing(easyserve, follower);
    const exited = once(follower.child, 'close');
    await easyserve.cli('stop');
    assert.deepEqual(await exited, [0, null]);
    assert.match(follower.printed, /The instance has ended\.\n$/);
  });

  testIn('logs | head is quiet, and ends', async (t) => {
    const easyserve = await startEasyserve(t, { fixture: 'wsgi-hello', mode });
    const logs = `"${process.execPath}" "${easyserveBin}" logs --follow`;
    const follower = follow(t, easyserve, 'bash', ['-c', `${logs} | head -n 1; echo "\${PIPESTATUS[0]}"`]);
    const exited = once(follower.child, 'close');
    // The pipe is found broken when there is a line to write.
    await eventually(async () => {
      await ask(easyserve.url, '/version');
      assert.notEqual(follower.child.exitCode, null);
    });
    await exited;
    const [line = '', ...rest] = follower.printed.trimEnd().split('\n');
    JSON.parse(line);
    assert.deepEqual(rest, ['0']);
  });
});

interface Follower {
  readonly child: ChildProcess;
  /** stdout and stderr. */
  printed: string;
}

function followLogs(t: TestContext, easyserve: Easyserve): Follower {
  return follow(t, easyserve, process.execPath, [easyserveBin, 'logs', '--follow', '-n', '0']);
}

function follow(t: TestContext, easyserve: Easyserve, program: string, args: readonly string[]): Follower {
  const child = spawn(program, args, { cwd: easyserve.dir, env: easyserveEnvironment() });
  t.after(() => child.kill('SIGKILL'));
  const follower: Follower = { child, printed: '' };
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      follower.printed += text;
    });
  }
  return follower;
}

/** It follows from some moment on. */
async function untilFollowing(easyserve: Easyserve, follower: Follower): Promise<void> {
  await eventually(async () => {
    await ask(easyserve.url, '/version?followed');
    assert.match(follower.printed, /"path":"\/version\?followed"/);
  });
}

test('help and version', { timeout: integrationTimeoutMs }, async (t) => {
  const cwd = makeTempDir(t);
  const packageJson = JSON.parse(readFileSync(join(repositoryRoot, 'package.json'), 'utf8'));
  for (const flag of ['--version', '-V']) {
    const { code, stdout, stderr } = await runEasyserve([flag], { cwd });
    assert.deepEqual([code, stdout, stderr], [0, `${packageJson.version}\n`, '']);
  }
  const help = await runEasyserve(['--help'], { cwd });
  assert.deepEqual([help.code, help.stderr], [0, '']);
  const verbs = ['start', 'stop', 'reload', 'restart', 'status', 'scale', 'logs', 'config', 'check'];
  for (const verb of verbs) {
    assert.match(help.stdout, new RegExp(`^ {2}${verb} `, 'm'));
    const one = await runEasyserve([verb, '--help'], { cwd });
    assert.equal(one.code, 0);
    assert.match(one.stdout, new RegExp(`^Usage: easyserve ${verb} `));
  }
});
