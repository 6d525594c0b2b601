import assert from 'node:assert/strict';
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Easyserve } from '../support/easyserve.js';
import { eventually } from '../support/eventually.js';
import { forEachServerByTurns, serverCases, startOptions } from '../support/for-each-server.js';
import { ask } from '../support/http-client.js';
import { describeProcess, isAlive, killProcess } from '../support/processes.js';
import { spawnEasyserve, startEasyserve } from '../support/start-easyserve.js';

const inNode = `require('node:child_process').spawn('setsid', ['sleep', '1000'], { stdio: 'inherit' });\n`;
const inPython = `
import subprocess
subprocess.Popen(['setsid', 'sleep', '1000'], pass_fds=[])
`;
/** Each starts a daemon: it leaves the process group, and keeps the output of the application open. */
const starting: Readonly<Record<string, readonly [file: string, code: string, failing: string]>> = {
  gateway: ['app.py', inPython, '\nraise LookupError("no such luck")\n'],
  command: ['command.cjs', inNode, '\nthrow new Error("no such luck")\n'],
};

forEachServerByTurns(
  serverCases.filter(({ name }) => name in starting),
  (serverCase, mode, testIn) => {
    const [file, code, failing] = starting[serverCase.name] ?? assert.fail();
    const options = startOptions(serverCase, mode);
    const append = (text: string) => (dir: string) => {
      options.prepare?.(dir);
      appendFileSync(join(dir, file), text);
    };

    testIn(
      'a daemon that keeps the output of an application open holds up no reload and no stop',
      async (t) => {
        const easyserve = await startEasyserve(t, { ...options, prepare: append(code) });
        const before = await easyserve.appPids();
        const { code: exit, stderr } = await easyserve.cli('reload');
        assert.equal(exit, 0, stderr);
        assert.equal((await ask(easyserve.url, '/version')).status, 200);
        assert.deepEqual(await easyserve.stop(), { code: 0, signal: null });
        assert.deepEqual(before.filter(isAlive), []);
        await endDaemons(easyserve, mode === 'single' ? 2 : 4);
      },
    );

    testIn('nor the refusal of a start', async (t) => {
      const easyserve = spawnEasyserve(t, { ...options, prepare: append(code + failing) });
      assert.deepEqual(await easyserve.ended, { code: serverCase.name === 'gateway' ? 4 : 5, signal: null });
      assert.match(easyserve.output, /no such luck/);
      await endDaemons(easyserve, 1);
    });
  },
);

/** They are no processes of easyserve's any more: ended here, so that the test leaves none. */
async function endDaemons(easyserve: Easyserve, atLeast: number): Promise<void> {
  const daemons = easyserve.processes().filter((pid) => /sleep 1000/.test(describeProcess(pid)));
  assert.ok(daemons.length >= atLeast, String(daemons.length));
  for (const pid of daemons) killProcess(pid, 'SIGKILL');
  await eventually(() => assert.deepEqual(daemons.filter(isAlive), []));
}
