import assert from 'node:assert/strict';
import { eventually } from '../support/eventually.js';
import { forEachMode } from '../support/for-each-mode.js';
import { ask } from '../support/http-client.js';
import { startEasyserve } from '../support/start-easyserve.js';
import { type UnreadKind, unreadOutput } from '../support/unread-output.js';

const kinds: readonly UnreadKind[] = ['pipe', 'terminal', 'socket'];
/** More than pipe, terminal and socket hold together with what is said about it. */
const longPath = `/version?${'x'.repeat(6000)}`;

// `easyserve start | less`, a terminal after Ctrl-S, a log collector that hangs; and a child that makes the descriptor block.
forEachMode(['single', 'cluster'], (mode, testIn) => {
  for (const kind of kinds) {
    testIn(`a ${kind} that nobody reads stops neither the site nor its end`, async (t) => {
      const { under, close } = unreadOutput(t, kind);
      const easyserve = await startEasyserve(t, {
        ...{ fixture: 'wsgi-hello', mode, under, isOutputHidden: true },
        settings: { killTimeoutMs: 5000 },
      });
      for (let n = 0; n < 250; n += 1) {
        assert.equal((await ask(easyserve.url, longPath)).status, 200, `request ${n}`);
      }
      assert.equal((await easyserve.cli('reload')).code, 0);
      easyserve.signal('SIGTERM');
      assert.deepEqual(await easyserve.ended, { code: 0, signal: null });
      close();
      await eventually(() => assert.deepEqual(easyserve.processes(), []));
    });
  }
});
