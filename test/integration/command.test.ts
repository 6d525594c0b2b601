import assert from 'node:assert/strict';
import { chmodSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { copyFixture, makeTempDir } from '../support/copy-fixture.js';
import type { Easyserve } from '../support/easyserve.js';
import { eventually } from '../support/eventually.js';
import { forEachMode, integrationTimeoutMs, type Mode } from '../support/for-each-mode.js';
import { ask } from '../support/http-client.js';
import { leftoversOf, stateFoldersOf } from '../support/leftovers.js';
import { describeProcess, isAlive, killProcess } from '../support/processes.js';
import { putFiles } from '../support/put-files.js';
import { testPython } from '../support/python-env.js';
import { runEasyserve } from '../support/run-easyserve.js';
import { startEasyserve } from '../support/start-easyserve.js';

const fileServer = `exec ${testPython()} -u -m http.server $PORT --bind $HOST`;

/** Listens on the socket alone, and tells its environment. */
const socketServer = `
const { createServer } = require('node:http');
const { PORT, HOST, SOCKET } = process.env;
createServer((request, response) => {
  request.resume().on('end', () => response.end(JSON.stringify({ PORT, HOST, SOCKET, pid: process.pid })));
}).listen(SOCKET);
`;

// Programs that know nothing of easyserve. What every server has in common is in every-server.test.
forEachMode(['single', 'cluster'], (mode, testIn) => {
  testIn('a program on $PORT: reload, crash, and one that does not start', async (t) => {
    const site = await start(t, mode, fileServer);
    assert.equal((await ask(site.url, '/VERSION')).text, 'v1\n');
    const before = await site.appPids();
    assert.equal(before.length, processesIn(mode));

    await t.test('a release that cannot be leaves the old one', async () => {
      for (const [command, said] of [
        ['echo no such luck >&2; exit 7', /exited with code 7[\s\S]*no such luck/],
        ['true', /exited with code 0[\s\S]*foreground/],
        ['no-such-program', /code 127[\s\S]*no-such-program/],
        ['sleep 600', /not ready after 1 s[\s\S]*port \d+ of 127\.0\.0\.1[\s\S]*\.sock[\s\S]*readyTimeoutMs/],
      ] as const) {
        site.writeSettings({ command, readyTimeoutMs: 1000 });
        const { code, stderr } = await site.cli('reload');
        assert.equal(code, 9, command);
        assert.match(stderr, said);
        assert.equal((await ask(site.url, '/VERSION')).text, 'v1\n');
      }
      assert.deepEqual(await site.appPids(), before);
    });

    await t.test('a new one takes over', async () => {
      site.writeSettings({ command: `cd sub && ${fileServer}`, readyTimeoutMs: undefined });
      assert.equal((await site.cli('reload')).code, 0);
      assert.equal((await ask(site.url, '/VERSION')).text, 'of sub\n');
      assert.deepEqual(before.filter(isAlive), []);
    });

    await t.test('one that crashes comes back, on another port', async () => {
      const [pid = 0] = await site.appPids();
      killProcess(pid, 'SIGKILL');
      await site.waitFor('app-crashed', (record) => record.app === pid);
      await eventually(async () => {
        const apps = await site.apps();
        assert.equal(apps.filter(({ state }) => state === 'ready').length, processesIn(mode));
      });
      assert.equal((await ask(site.url, '/VERSION')).text, 'of sub\n');
    });
  });

  testIn(
    'a program on $SOCKET; its own programs are found by name; what it leaves running ends with it',
    async (t) => {
      const site = await start(t, mode, 'sleep 600 & serve-socket & wait');
      const told = JSON.parse((await ask(site.url, '/', { method: 'POST', body: 'x' })).text);
      assert.match(told.PORT, /^\d+$/);
      assert.equal(told.HOST, '127.0.0.1');
      assert.match(told.SOCKET, /\.sock$/);
      // The shell leads the group; the server is its child.
      assert.ok(!(await site.appPids()).includes(told.pid));
      const all = site.processes();
      await site.stop();
      assert.deepEqual(all.filter(isAlive), []);
    },
  );

  testIn('kill -9 of easyserve leaves no program behind', async (t) => {
    const site = await start(t, mode, `sleep 600 & ${fileServer}`);
    assert.ok(site.processes().length > 2);
    killProcess(site.pid, 'SIGKILL');
    await site.ended;
    await eventually(() => assert.deepEqual(site.processes().filter(isAlive).map(describeProcess), []), {
      timeoutMs: 10_000,
    });
  });
});

test('a program that goes into the background is told to stay, and nothing of it is left', {
  timeout: integrationTimeoutMs,
}, async (t) => {
  const dir = copyFixture('wsgi-hello', join(makeTempDir(t), 'site'));
  const place = ['--host', '127.0.0.1', '--port', '0'];
  const command = 'sleep 600 & echo $! > child';
  const { code, stderr } = await runEasyserve(['start', dir, ...place, '--set', `command=${command}`], {
    cwd: dir,
  });
  assert.equal(code, 5, stderr);
  assert.match(stderr, /exited with code 0 before it was ready[\s\S]*fix: .*foreground/);
  const child = Number(readFileSync(join(dir, 'child'), 'utf8'));
  await eventually(() => assert.ok(!isAlive(child), describeProcess(child)));
  assert.deepEqual(leftoversOf(stateFoldersOf(dir)), []);
});

function start(t: Parameters<typeof startEasyserve>[0], mode: Mode, command: string): Promise<Easyserve> {
  return startEasyserve(t, {
    fixture: 'wsgi-hello',
    mode,
    // The tests reload by themselves, and count the processes that are there.
    settings: { command, watch: false },
    prepare: (dir) => {
      putFiles(dir, {
        'sub/VERSION': 'of sub\n',
        'node_modules/.bin/serve-socket': `#!${process.execPath}\n${socketServer}`,
      });
      chmodSync(join(dir, 'node_modules/.bin/serve-socket'), 0o755);
    },
  });
}

function processesIn(mode: Mode): number {
  return mode === 'single' ? 1 : 2;
}
