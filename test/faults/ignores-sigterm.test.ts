import assert from 'node:assert/strict';
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { forEachServerByTurns, serverCases, startOptions } from '../support/for-each-server.js';
import { ask } from '../support/http-client.js';
import { isAlive } from '../support/processes.js';
import { startEasyserve } from '../support/start-easyserve.js';

const inNode = `process.on('SIGTERM', () => console.log('not now'));\n`;
const inPython = `
import signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
threading.Thread(target=time.sleep, args=[3600]).start()
`;
const stubborn: Readonly<Record<string, readonly [file: string, code: string]>> = {
  gateway: ['app.py', inPython],
  command: ['command.cjs', inNode],
};

forEachServerByTurns(
  serverCases.filter(({ name }) => name in stubborn),
  (serverCase, mode, testIn) => {
    testIn(
      'an application that ignores SIGTERM is killed in time, at a reload and at the stop',
      async (t) => {
        // The shell before a command ends by SIGTERM at once.
        const options = startOptions(serverCase, mode, { killTimeoutMs: 1000 });
        const easyserve = await startEasyserve(t, {
          ...options,
          prepare: (dir) => {
            options.prepare?.(dir);
            const [file, code] = stubborn[serverCase.name] ?? assert.fail();
            appendFileSync(join(dir, file), code);
          },
        });
        const before = await easyserve.appPids();
        const { code, stderr } = await easyserve.cli('reload');
        assert.equal(code, 0, stderr);
        for (const _ of before)
          await easyserve.waitFor('app-killed', ({ app }) => before.includes(Number(app)));
        assert.equal((await ask(easyserve.url, '/version')).status, 200);
        const after = await easyserve.appPids();
        assert.deepEqual(await easyserve.stop(), { code: 0, signal: null });
        for (const _ of after)
          await easyserve.waitFor('app-killed', ({ app }) => after.includes(Number(app)));
        assert.deepEqual([...before, ...after].filter(isAlive), []);
      },
    );
  },
);
