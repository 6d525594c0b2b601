import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { forEachMode } from '../support/for-each-mode.js';
import { ask } from '../support/http-client.js';
import { MemoryGroup } from '../support/memory-group.js';
import { startEasyserve } from '../support/start-easyserve.js';

forEachMode(['single', 'cluster'], (mode, testIn) => {
  testIn(
    'a process that the kernel kills for want of memory is said to be that, and comes back',
    async (t) => {
      const group = MemoryGroup.create();
      if (group === undefined) {
        t.diagnostic('not run: this machine lets root make no control group for memory');
        return;
      }
      const easyserve = await startEasyserve(t, { fixture: 'wsgi-hello', mode, under: group.program });
      t.after(() => group.remove());
      const before = await easyserve.appPids();
      // It is the one to be killed (proc(5)), and small: until all of its memory has come back, the kernel may take another as well.
      for (const pid of before) writeFileSync(`/proc/${pid}/oom_score_adj`, '1000');
      group.allowMore(30_000_000);
      assert.equal((await ask(easyserve.url, '/memory?mb=200', { timeoutMs: 60_000 })).status, 502);
      const crash = await easyserve.waitFor('app-crashed');
      assert.ok(before.includes(Number(crash.app)));
      assert.equal(crash.isOutOfMemory, true);
      assert.match(
        String(crash.msg),
        /ended by the kernel because the machine, or its memory limit, ran out/,
      );
      await easyserve.waitFor('app-ready', ({ app }) => !before.includes(Number(app)));
      assert.equal((await ask(easyserve.url, '/version')).status, 200);
    },
  );
});
