import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { forEachMode } from '../support/for-each-mode.js';
import { ask } from '../support/http-client.js';
import { startEasyserve } from '../support/start-easyserve.js';

/** Four threads that take 50 ms for a page answer 80 in a second; ten times as many are asked for, or as many as this client can. */
const pagesPerSecond = 80;
const seconds = 2;

forEachMode(['single', 'cluster'], (mode, testIn) => {
  testIn(
    'at ten times what it can do: 503 soon, the rest answered, files go on, and full speed after it',
    async (t) => {
      const site = await startEasyserve(t, {
        fixture: 'wsgi-hello',
        mode,
        args: [
          '--threads',
          '4',
          ...['--set', 'maxRequestsPerAddress=0', '--set', 'maxConnectionsPerAddress=0'],
          '--set',
          'accessLog=false',
          ...(mode === 'cluster' ? ['--fronts', '1'] : []),
        ],
        prepare: (dir) => {
          mkdirSync(join(dir, 'files'));
          writeFileSync(join(dir, 'files', 'a.txt'), 'file');
        },
        settings: { static: { '/files/': 'files' } },
      });
      const capacity = pagesPerSecond * (mode === 'single' ? 1 : 2);
      const page = async (): Promise<{ status: number; ms: number }> => {
        const beganAtMs = performance.now();
        const { status } = await ask(site.url, '/slow?ms=50', { timeoutMs: 60_000 });
        return { status, ms: performance.now() - beganAtMs };
      };
      const asked: Promise<{ status: number; ms: number }>[] = [];
      const fileTimes: number[] = [];
      for (let n = 0; n < capacity * seconds; n += 1) {
        // A round asks for ten pages and one file, which takes its time: so the rush has a pace.
        for (let many = 0; many < 10; many += 1) asked.push(page());
        const askedAtMs = performance.now();
        assert.equal((await ask(site.url, '/files/a.txt', { timeoutMs: 30_000 })).text, 'file');
        fileTimes.push(performance.now() - askedAtMs);
      }
      const answers = await Promise.all(asked);
      const refused = answers.filter(({ status }) => status === 503).map(({ ms }) => ms);
      assert.deepEqual([...new Set(answers.map(({ status }) => status))].sort(), [200, 503]);
      const median = refused.sort((one, other) => one - other)[refused.length >> 1] ?? 0;
      t.diagnostic(
        `${answers.length} asked, ${refused.length} refused, median ${median} ms, file ${Math.max(...fileTimes)} ms`,
      );
      assert.ok(median < 1000, `a 503 took ${median} ms`);
      const after = await page();
      assert.equal(after.status, 200);
      assert.ok(after.ms < 2000, `a page took ${after.ms} ms after it`);
    },
  );
});
