import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, openSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { makeTempDir } from '../support/copy-fixture.js';
import type { Easyserve } from '../support/easyserve.js';
import { eventually } from '../support/eventually.js';
import { forEachMode } from '../support/for-each-mode.js';
import { ask } from '../support/http-client.js';
import { startEasyserve } from '../support/start-easyserve.js';

const limitBytes = 64 * 512;
const limited = ['sh', '-c', `ulimit -S -f ${limitBytes / 512}; exec "$@"`, 'sh'] as const;

async function askOften(easyserve: Easyserve, times: number): Promise<void> {
  for (let n = 0; n < times; n += 1) {
    assert.equal((await ask(easyserve.url, `/version?${'x'.repeat(8000)}`)).status, 200, `request ${n}`);
  }
}

function recordsOf(text: string): { event: string; count?: number; code?: string }[] {
  return text
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line));
}

forEachMode(['single', 'cluster'], (mode, testIn) => {
  testIn(
    'a log file that may not grow loses lines, counted, while the site serves; then it goes on',
    async (t) => {
      const file = join(makeTempDir(t), 'site.log');
      const output = openSync(file, 'a');
      t.after(() => closeSync(output));
      const easyserve = await startEasyserve(t, { fixture: 'wsgi-hello', mode, output, under: limited });
      await askOften(easyserve, 400);
      assert.equal((await easyserve.cli('reload')).code, 0);
      assert.ok(statSync(file).size <= limitBytes);
      const { stdout: kept } = await easyserve.cli('logs', '-n', '2000');
      assert.match(kept, /"access"/, 'easyserve logs has what is written nowhere');

      execFileSync('prlimit', ['--pid', String(easyserve.pid), '--fsize=unlimited:unlimited']);
      await eventually(() => assert.match(readFileSync(file, 'utf8'), /"log-recovered"/));
      await askOften(easyserve, 1);
      assert.deepEqual(await easyserve.stop(), { code: 0, signal: null });
      const text = readFileSync(file, 'utf8');
      const records = recordsOf(text);
      assert.equal(records.length, text.trimEnd().split('\n').length, 'no line is torn');
      const [failed, ...more] = records.filter(({ event }) => event === 'log-failed');
      assert.equal(failed?.code, 'EFBIG');
      assert.deepEqual(more, [], 'said once');
      const [recovered, ...again] = records.filter(({ event }) => event === 'log-recovered');
      const lost = recovered?.count ?? 0;
      assert.ok(lost > 0);
      assert.deepEqual(again, []);
      const written = records.filter(({ event }) => event === 'access').length;
      // The lines of the reload may be among those that were lost.
      assert.ok(written + lost >= 401 && written < 401, `${written} written and ${lost} lost of 401`);
      assert.equal(records.at(-1)?.event, 'stopped');
    },
  );

  testIn('a log on /dev/full: the site starts, serves, reloads and ends', async (t) => {
    const output = openSync('/dev/full', 'w');
    t.after(() => closeSync(output));
    const easyserve = await startEasyserve(t, { fixture: 'wsgi-hello', mode, output });
    for (let n = 0; n < 30; n += 1) assert.equal((await ask(easyserve.url, '/version')).status, 200);
    assert.equal((await easyserve.cli('reload')).code, 0);
    const { stdout } = await easyserve.cli('logs');
    assert.equal(stdout.match(/"log-failed".*"ENOSPC"/g)?.length, 1);
    assert.deepEqual(await easyserve.stop(), { code: 0, signal: null });
  });
});
