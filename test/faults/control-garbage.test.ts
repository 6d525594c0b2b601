import assert from 'node:assert/strict';
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { forEachServerByTurns, serverCases, startOptions } from '../support/for-each-server.js';
import { ask } from '../support/http-client.js';
import { startEasyserve } from '../support/start-easyserve.js';

/** What an application does that takes descriptor 3 for its own: no JSON, no event, and 10 MB without the end of a line. */
const garbage = ['null', '{"event":"failed"}', '{"event":"ready","port":"x"}', '{"event":"stacks"}', '\\x00'];
const written: Readonly<Record<string, readonly [file: string, code: string]>> = {
  gateway: [
    'app.py',
    `
for piece in (${garbage.map((line) => `b'${line}\\n'`).join(', ')}, b'x' * 10_000_000):
    rest = memoryview(piece)
    while rest:
        rest = rest[os.write(3, rest):]
`,
  ],
  express: [
    'express.cjs',
    `
for (const piece of [${garbage.map((line) => `'${line}\\n'`).join(', ')}, 'x'.repeat(10_000_000)]) {
  for (let rest = Buffer.from(piece); rest.length > 0; ) {
    try { rest = rest.subarray(require('node:fs').writeSync(3, rest)); } catch (error) { if (error.code !== 'EAGAIN') throw error; }
  }
}
`,
  ],
};

forEachServerByTurns(
  serverCases.filter(({ name }) => name in written),
  (serverCase, mode, testIn) => {
    testIn('garbage on the descriptor that joins it to easyserve disturbs nothing', async (t) => {
      const options = startOptions(serverCase, mode);
      const easyserve = await startEasyserve(t, {
        ...options,
        prepare: (dir) => {
          options.prepare?.(dir);
          const [file, code] = written[serverCase.name] ?? assert.fail();
          appendFileSync(join(dir, file), code);
        },
      });
      assert.equal((await ask(easyserve.url, '/version')).status, 200);
      const { code, stderr } = await easyserve.cli('reload');
      assert.equal(code, 0, stderr);
      assert.deepEqual(await easyserve.stop(), { code: 0, signal: null });
      const told = easyserve.records.filter(({ event }) => event === 'control-garbage');
      assert.deepEqual(
        told.map(({ line }) => line),
        Array(mode === 'single' ? 2 : 4).fill('null'),
      );
    });
  },
);
