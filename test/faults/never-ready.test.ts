import assert from 'node:assert/strict';
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { forEachServerByTurns, serverCases, startOptions, startServer } from '../support/for-each-server.js';
import { ask } from '../support/http-client.js';
import { spawnEasyserve } from '../support/start-easyserve.js';

const late = /The application was not ready after \d s\./;
/** A WSGI application is imported once before it is served, to see what it is. */
const never: Readonly<Record<string, { file: string; code: string; exit: number; says: RegExp[] }>> = {
  gateway: {
    file: 'app.py',
    code: '\nthreading.Event().wait()\n',
    exit: 4,
    says: [/The project did not finish loading within 5 seconds\./, /app\.py", line \d+, in <module>/],
  },
  express: {
    file: 'express.cjs',
    code: '\nfor (;;) {}\n',
    exit: 5,
    says: [late, /It has to call listen\(\)/],
  },
  command: {
    file: 'command.cjs',
    code: '\nprocess.exitCode = 0; for (;;) {}\n',
    exit: 5,
    says: [late, /It must listen on port/],
  },
};

const cases = serverCases.filter(({ name }) => name in never);
/** Long enough for the release that works, on a slow machine. */
const changed = { readyTimeoutMs: 5000, killTimeoutMs: 1000 };

forEachServerByTurns(cases, (serverCase, mode, testIn) => {
  const { file, code, exit, says } = never[serverCase.name] ?? assert.fail();
  const options = startOptions(serverCase, mode, {
    ...changed,
    // The others have no place to show that they must have reached.
    ...(serverCase.name === 'gateway' ? {} : { readyTimeoutMs: 1000 }),
  });

  testIn('an application that is never ready ends the start in time, with a clear line', async (t) => {
    const easyserve = spawnEasyserve(t, {
      ...options,
      prepare: (dir) => {
        options.prepare?.(dir);
        appendFileSync(join(dir, file), code);
      },
    });
    assert.deepEqual(await easyserve.ended, { code: exit, signal: null });
    for (const line of says) assert.match(easyserve.output, line);
  });
});

forEachServerByTurns(
  cases.filter(({ name }) => name !== 'express'),
  (serverCase, mode, testIn) => {
    const { file, code, says } = never[serverCase.name] ?? assert.fail();

    testIn('a release that is never ready is refused in time, or given up by a stop', async (t) => {
      const easyserve = await startServer(t, serverCase, mode, changed);
      appendFileSync(join(easyserve.dir, file), code);
      const refused = await easyserve.cli('reload');
      assert.equal(refused.code, 9);
      await easyserve.waitFor('reload');
      for (const line of says) assert.match(refused.stderr, line);
      assert.equal((await ask(easyserve.url, '/version')).status, 200);
      const reload = easyserve.cli('reload');
      await easyserve.waitFor('reload');
      assert.deepEqual(await easyserve.stop(), { code: 0, signal: null });
      assert.notEqual((await reload).code, 0);
    });
  },
);
