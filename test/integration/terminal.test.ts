import assert from 'node:assert/strict';
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { copyFixture, makeTempDir } from '../support/copy-fixture.js';
import { eventually } from '../support/eventually.js';
import { forEachMode } from '../support/for-each-mode.js';
import { ask } from '../support/http-client.js';
import { runEasyserve } from '../support/run-easyserve.js';
import { Terminal } from '../support/terminal.js';

const bold = '\u001b[1m';

// What a person sees who types \`easyserve start\`.
forEachMode(['single', 'cluster'], (mode, testIn) => {
  testIn('a line that tells what takes so long, then a banner, then a line for each request', async (t) => {
    const dir = copyFixture('wsgi-hello', join(makeTempDir(t), 'site'));
    appendFileSync(join(dir, 'app.py'), '\ntime.sleep(2.5)\n');
    const terminal = new Terminal(t, dir, ['--processes', mode === 'single' ? '1' : '2']);

    const banner = await terminal.untilShown(/easyserve \d+\.\d+\.\d+ serves .*?Ctrl-C.*?\r\n\r\n/s);
    assert.match(terminal.shown, /reading the project … [1-9] s/);
    for (const line of [
      / {2}found +WSGI, app:application in \//,
      / {2}python +\d+\.\d+\.\d+ from \$VIRTUAL_ENV/,
      mode === 'single'
        ? / {2}mode +single process with 10 threads \(processes = 1: /
        : / {2}mode +cluster of 2 processes with 4 threads each \(processes = 2\)/,
      / {2}reload +\S*\beasyserve\.js reload/,
      / {2}stop +Ctrl-C/,
    ]) {
      assert.match(banner, line);
    }
    const url = banner.match(/http:\/\/127\.0\.0\.1:\d+\//)?.[0] ?? '';
    assert.ok(banner.includes(`${bold}${url}`));

    await ask(url, '/version?shown');
    await terminal.untilShown(/200 .*GET \/version\?shown .*127\.0\.0\.1/);

    terminal.type('\u0003');
    assert.equal(await terminal.exitCode(), 0);
    assert.match(terminal.shown, /stopped/);
  });

  testIn('the site outlives its terminal, and is stopped from another one', async (t) => {
    const dir = copyFixture('wsgi-hello', join(makeTempDir(t), 'site'));
    const terminal = new Terminal(t, dir, ['--processes', mode === 'single' ? '1' : '2']);
    const banner = await terminal.untilShown(/easyserve \d+\.\d+\.\d+ serves .*?Ctrl-C.*?\r\n\r\n/s);
    const url = banner.match(/http:\/\/127\.0\.0\.1:\d+\//)?.[0] ?? '';
    try {
      await terminal.close();
      // The hangup is a reload too (docs/supervision.md), and what it writes goes nowhere.
      await eventually(async () => {
        const { stdout } = await runEasyserve(['status', '--json'], { cwd: dir });
        assert.equal(JSON.parse(stdout).generation, 2);
      });
      assert.equal((await ask(url, '/version')).status, 200);
    } finally {
      assert.equal((await runEasyserve(['stop'], { cwd: dir })).code, 0);
    }
  });
});
