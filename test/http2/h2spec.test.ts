import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createSecureServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { makeTempDir } from '../support/copy-fixture.js';
import { runH2spec } from '../support/h2spec.js';
import { repositoryRoot } from '../support/repository.js';
import { securePortOf } from '../support/secure-client.js';
import { startEasyserve } from '../support/start-easyserve.js';
import { makeCertificate } from '../support/tls-material.js';

/** The list in the docs, one line each: "* `http2/5.1` closed: Sends a DATA frame". */
function documentedFailures(): Set<string> {
  const text = readFileSync(join(repositoryRoot, 'docs', 'http2.md'), 'utf8');
  return new Set(
    [...text.matchAll(/^\* `([a-z0-9./]+)` (.+)$/gm)].map(([, section, title]) => `${section} ${title}`),
  );
}

/** Node's own server with nothing around it. */
async function serveBare(t: TestContext): Promise<number> {
  const { certificatePem: cert, keyPem: key } = await makeCertificate(['localhost']);
  const server = createSecureServer({ cert, key }, (request, response) => {
    request.resume();
    response.end('hello');
  });
  server.on('sessionError', () => {}); // h2spec breaks every rule
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return (server.address() as AddressInfo).port;
}

test('h2spec finds nothing that it does not find in the HTTP/2 of Node itself', async (t) => {
  const site = await startEasyserve(t, {
    mode: 'single',
    fixture: 'wsgi-hello',
    // What h2spec leaves unfinished is not to be waited for at the end.
    settings: { https: true, httpsPort: 0, acmeFolder: makeTempDir(t), drainTimeoutMs: 1000 },
  });
  const [ours, bare] = await Promise.all([
    runH2spec(t, await securePortOf(site)),
    runH2spec(t, await serveBare(t)),
  ]);
  assert.ok(ours.tests > 100, `${ours.tests} tests`);
  assert.equal(ours.tests, bare.tests);
  const known = documentedFailures();
  const unknown = (failures: readonly string[]): string[] => failures.filter((each) => !known.has(each));
  assert.deepEqual(unknown(bare.failures), [], 'in Node itself, and not in docs/http2.md');
  assert.deepEqual(unknown(ours.failures), [], 'ours, and not in Node itself');
  // The page may not grow stale: some of it depends on which of two frames is faster, so that not all is seen in each run.
  assert.ok(bare.failures.length > 0, 'Node has mended all of them');
});
