import assert from 'node:assert/strict';
import { once } from 'node:events';
import { askHttp2 } from '../support/ask-http2.js';
import { makeTempDir } from '../support/copy-fixture.js';
import { eventually } from '../support/eventually.js';
import { forEachMode } from '../support/for-each-mode.js';
import { askSecurely, certificateFor, openHttp2, securePortOf, writePair } from '../support/secure-client.js';
import { startEasyserve } from '../support/start-easyserve.js';
import { makeCertificate } from '../support/tls-material.js';
import { withDeadline } from '../support/with-deadline.js';

const certificate = await makeCertificate(['example.com']);

forEachMode(['single', 'cluster'], (mode, testIn) => {
  testIn(
    'SIGTERM: what is under way over TLS is answered, over HTTP/2 too, and nobody new is taken',
    async (t) => {
      const pair = writePair(makeTempDir(t), 'site', certificate);
      const easyserve = await startEasyserve(t, {
        mode,
        fixture: 'wsgi-hello',
        settings: { httpsPort: 0, tls: pair },
      });
      const port = await securePortOf(easyserve);
      const host = 'example.com';
      const session = await openHttp2(t, port, { host });
      const idle = await openHttp2(t, port, { host });
      assert.equal((await askHttp2(session, '/')).status, 200);
      const closed = Promise.all([session, idle].map((each) => once(each, 'close')));
      const answers = Promise.all([
        askSecurely(port, '/slow?ms=1500', { host }),
        askHttp2(session, '/slow?ms=1500'),
        askHttp2(session, { ':path': '/slow?ms=1400', ':method': 'POST' }, 'x'.repeat(10_000)),
      ]);
      await eventually(async () => {
        const inFlight = (await easyserve.apps()).reduce((sum, app) => sum + app.inFlight, 0);
        assert.equal(inFlight, 3);
      });
      easyserve.signal('SIGTERM');
      await easyserve.waitFor('stopping');
      for (const { status } of await answers) assert.equal(status, 200);
      assert.deepEqual(await easyserve.ended, { code: 0, signal: null });
      await withDeadline(closed, 10_000, () => 'an HTTP/2 connection was not closed');
      await assert.rejects(certificateFor(port, host), { code: 'ECONNREFUSED' });
    },
  );
});
