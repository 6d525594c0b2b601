import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { repositoryRoot } from '../../support/repository.js';

interface Audited {
  readonly code: number;
  readonly said: string;
}

/** npm asks for the versions of a package that has an advisory. */
function describePackage(url: string): unknown {
  const name = decodeURIComponent(url.slice(1));
  const version = '1.0.0';
  return { name, 'dist-tags': { latest: version }, versions: { [version]: { name, version } } };
}

/** What scripts/audit.mjs makes of a registry that answers so. */
async function audit(t: TestContext, status: number, advisories: unknown): Promise<Audited> {
  const registry = createServer((request, response) => {
    request.resume();
    const answer = request.method === 'POST' ? advisories : describePackage(request.url ?? '');
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
  }).listen(0, '127.0.0.1');
  await once(registry, 'listening');
  t.after(() => registry.close());
  const { port } = registry.address() as AddressInfo;
  const env = { ...process.env, npm_config_registry: `http://127.0.0.1:${port}/` };
  const script = join(repositoryRoot, 'scripts', 'audit.mjs');
  return new Promise((resolve) => {
    execFile(process.execPath, [script], { cwd: repositoryRoot, env }, (error, stdout) =>
      resolve({ code: Number(error?.code ?? 0), said: stdout }),
    );
  });
}

test('no advisory: the packages that users install are clean', async (t) => {
  assert.deepEqual(await audit(t, 200, {}), {
    code: 0,
    said: 'no known vulnerability in what users install\n',
  });
});

test('an advisory for a package that users install fails the check, one for a tool of ours does not', async (t) => {
  const advisory = { id: 1, url: 'https://x', title: 'x', severity: 'high', vulnerable_versions: '>=0' };
  const found = await audit(t, 200, { commander: [advisory] });
  assert.deepEqual([found.code, /commander \(high\)/.test(found.said)], [1, true], found.said);
  assert.equal((await audit(t, 200, { typescript: [advisory] })).code, 0);
});

test('a registry that gives no audit fails nothing, and is named', async (t) => {
  const { code, said } = await audit(t, 405, {});
  assert.deepEqual([code, /^left out: the registry gives no audit \(405/.test(said)], [0, true], said);
});
