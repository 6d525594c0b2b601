import assert from 'node:assert/strict';
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
      // More than any other process of the group has: the kernel takes the largest.
      group.allowMore(250_000_000);
      assert.equal((await ask(easyserve.url, '/memory?mb=600', { timeoutMs: 60_000 })).status, 502);
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
