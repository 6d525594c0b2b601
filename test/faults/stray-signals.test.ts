import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { eventually } from '../support/eventually.js';
import { integrationTimeoutMs } from '../support/for-each-mode.js';
import {
  forEachServer,
  forEachServerByTurns,
  serverCases,
  startOptions,
  startServer,
} from '../support/for-each-server.js';
import { ask } from '../support/http-client.js';
import { listeningPorts } from '../support/listening-ports.js';
import { NodeApplication } from '../support/node-application.js';
import { descendantsOf, isAlive, killProcess } from '../support/processes.js';
import { spawnEasyserve } from '../support/start-easyserve.js';

const kinds = ['gateway', 'cheroot', 'uvicorn', 'express'];
const opened = /Debugger listening/;

// `systemctl kill -s USR1` reaches every process of the service; so do a terminal's Ctrl-\ and KillSignal=SIGQUIT.
forEachServer(
  serverCases.filter(({ name }) => kinds.includes(name)),
  (serverCase, mode, testIn) => {
    testIn(
      'SIGUSR1, SIGUSR2 and SIGHUP end no process and open no debugger, SIGQUIT stops it all',
      async (t) => {
        const easyserve = await startServer(t, serverCase, mode);
        const pids = easyserve.processes();
        assert.ok(pids.length >= (mode === 'single' ? 2 : 4), String(pids));
        for (const signal of ['SIGUSR1', 'SIGUSR2'] as const) {
          for (const pid of pids) assert.ok(killProcess(pid, signal));
          await easyserve.waitFor('signal-ignored', (record) => record.signal === signal);
          assert.equal((await ask(easyserve.url, '/version')).status, 200);
        }
        for (const pid of pids) if (pid !== easyserve.pid) killProcess(pid, 'SIGHUP');
        assert.equal((await ask(easyserve.url, '/version')).status, 200);
        assert.deepEqual(pids.filter(isAlive), pids);
        assert.doesNotMatch(easyserve.output, opened);
        for (const pid of pids) killProcess(pid, 'SIGQUIT');
        assert.deepEqual(await easyserve.ended, { code: 0, signal: null });
        assert.ok(easyserve.records.every(({ event }) => event !== 'app-crashed'));
      },
    );
  },
);

// Every kind of process that easyserve starts: what it asks the project, its fronts, the application.
forEachServerByTurns(
  serverCases.filter(({ name }) => ['gateway', 'express', 'command'].includes(name)),
  (serverCase, mode, testIn) => {
    testIn('SIGUSR1 and SIGUSR2 to what has just been started end no start, and no reload', async (t) => {
      const easyserve = spawnEasyserve(t, startOptions(serverCase, mode));
      await signalNewDuring(easyserve.pid, easyserve.untilReady(100_000));
      const { code, stderr } = await signalNewDuring(easyserve.pid, easyserve.cli('reload'));
      assert.equal(code, 0, stderr);
      assert.equal((await ask(easyserve.url, '/version')).status, 200);
    });
  },
);

test('SIGUSR1 in the first moments of easyserve leaves no debugger open', async (t) => {
  const easyserve = spawnEasyserve(t, { fixture: 'wsgi-hello', mode: 'single' });
  // As soon as Node has taken charge of the signal; before that, its default of every program ends it.
  await eventually(() => assert.ok(takesSigusr1(easyserve.pid)), { intervalMs: 1 });
  killProcess(easyserve.pid, 'SIGUSR1');
  await easyserve.untilReady(60_000);
  await eventually(() => assert.equal(listeningPorts(easyserve.pid).length, 1));
});

test('a Node.js application that is told SIGUSR1 while it starts has no debugger, and one that listens hears it', async (t) => {
  const application = await NodeApplication.start(t, {
    'main.cjs': `
      process.on('SIGUSR1', () => console.log('heard USR1'));
      process.once('SIGUSR2', () => console.log('heard USR2'));
      process.kill(process.pid, 'SIGUSR1');
      require('node:http').createServer((request, response) => response.end('here')).listen(3000);
    `,
  });
  await application.seen('ready');
  for (const signal of ['SIGUSR1', 'SIGUSR2', 'SIGUSR2'] as const) killProcess(application.group.pid, signal);
  await eventually(() => {
    assert.equal(application.output.match(/heard USR1/g)?.length, 2);
    assert.equal(application.output.match(/heard USR2/g)?.length, 1);
  });
  assert.equal(await application.get(), 'here');
  assert.deepEqual(listeningPorts(application.group.pid), []);
});

/** Looks for new processes as often as it can until `job` is done, and sends each of the first ones a signal, by turns. */
async function signalNewDuring<T>(pid: number, job: Promise<T>): Promise<T> {
  const known = new Set(descendantsOf(pid));
  const signalled = new Set<number>();
  let isDone = false;
  const look = (): void => {
    for (const child of descendantsOf(pid)) {
      if (known.has(child) || signalled.has(child) || signalled.size === 6) continue;
      signalled.add(child);
      killProcess(child, signalled.size % 2 === 0 ? 'SIGUSR1' : 'SIGUSR2');
    }
    assert.ok(isDone);
  };
  const [result] = await Promise.all([
    job.finally(() => {
      isDone = true;
    }),
    eventually(look, { intervalMs: 2, timeoutMs: integrationTimeoutMs }),
  ]);
  assert.ok(signalled.size > 0);
  return result;
}

/** Whether SIGUSR1 is blocked or caught (proc_pid_status(5)). */
function takesSigusr1(pid: number): boolean {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const masks = [...status.matchAll(/^Sig(?:Blk|Cgt):\s*([0-9a-f]+)$/gm)];
  return masks.some(([, mask = '0']) => (BigInt(`0x${mask}`) & (1n << 9n)) !== 0n);
}
