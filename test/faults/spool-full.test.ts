import assert from 'node:assert/strict';
import { forEachMode } from '../support/for-each-mode.js';
import { ask } from '../support/http-client.js';
import { logged } from '../support/logged.js';
import { rawConnection } from '../support/raw-connection.js';
import { startEasyserve } from '../support/start-easyserve.js';

const megabyte = 1_000_000;

forEachMode(['single', 'cluster'], (mode, testIn) => {
  const cases = [
    // No disk has so much free that the rest may be taken.
    ['the last of the disk', { spoolMinFreePercent: 99 }],
    ['the limit of the spool', { spoolMaxBytes: megabyte }],
  ] as const;
  for (const [what, settings] of cases) {
    testIn(`${what}: an upload that cannot fit is refused at once, and the site goes on`, async (t) => {
      const site = await startEasyserve(t, { mode, fixture: 'wsgi-hello', settings });
      const upload = await rawConnection(t, site.url);
      upload.send(`POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: ${60 * megabyte}\r\n\r\n`);
      await upload.readUntil(/^HTTP\/1\.1 507 /);
      upload.close();
      await logged(site, 'spool-full');

      const chunks = (function* (): Iterable<Uint8Array> {
        for (let n = 0; n < 20; n += 1) yield Buffer.alloc(100_000, 'x');
      })();
      assert.equal((await ask(site.url, '/echo', { method: 'POST', body: chunks })).status, 507);

      // Small bodies need no file, and a large answer that nobody can keep is sent as its client reads it.
      const { text } = await ask(site.url, '/echo?pad=5000000', { method: 'POST', body: 'small' });
      assert.equal(JSON.parse(text).pad.length, 5 * megabyte);
    });
  }
});
