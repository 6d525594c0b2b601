import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { forEachMode, type Mode } from '../support/for-each-mode.js';
import { ask } from '../support/http-client.js';
import { startEasyserve } from '../support/start-easyserve.js';

/** As a badly written script of an init system does it. */
test('it starts, reloads and stops without descriptor 1', (t) => serveWithout(t, '>&-', 'single'));

forEachMode(['single', 'cluster'], (mode, testIn) => {
  testIn('it starts, reloads and stops with none of the descriptors 0, 1 and 2', (t) =>
    serveWithout(t, '<&- >&- 2>&-', mode),
  );
});

async function serveWithout(t: TestContext, closed: string, mode: Mode): Promise<void> {
  const easyserve = await startEasyserve(t, {
    fixture: 'wsgi-hello',
    mode,
    under: ['sh', '-c', `exec "$0" "$@" ${closed}`],
    isOutputHidden: true,
  });
  assert.equal((await ask(easyserve.url, '/version')).status, 200);
  const { code, stderr } = await easyserve.cli('reload');
  assert.equal(code, 0, stderr);
  // Nothing of the site's goes into what has taken the numbers.
  assert.match((await ask(easyserve.url, '/version')).body.toString(), /^\{"version"/);
  assert.deepEqual(await easyserve.stop(), { code: 0, signal: null });
}
