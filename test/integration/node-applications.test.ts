import assert from 'node:assert/strict';
import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { Easyserve } from '../support/easyserve.js';
import { eventually } from '../support/eventually.js';
import { forEachMode, type Mode } from '../support/for-each-mode.js';
import { ask } from '../support/http-client.js';
import { expectNoFailures, loadDuring } from '../support/load-during.js';
import { repositoryRoot } from '../support/repository.js';
import { startEasyserve } from '../support/start-easyserve.js';
import { untilInFlight } from '../support/until-in-flight.js';

const frameworks = ['node', 'express', 'fastify', 'koa'] as const;

// Applications as they are written for plain `node server.js`; the real packages.
forEachMode(['single', 'cluster'], (mode, testIn) => {
  for (const framework of frameworks) {
    testIn(`${framework}: on the socket, whatever port it names`, async (t) => {
      const site = await startSite(t, mode, framework);
      assert.equal((await ask(site.url, '/')).text, 'version one, client 127.0.0.1, encrypted false');
      const { pid, cwd, nodeEnv } = JSON.parse((await ask(site.url, '/pid')).text);
      assert.equal(cwd, site.dir);
      assert.equal(nodeEnv, 'production');
      const { project } = await site.status();
      assert.equal(project.application, join(site.dir, 'server.js'));
      assert.equal(project.server, 'node');
      const apps = await site.apps();
      assert.ok(apps.some((app) => app.pid === pid));
      for (const { rssBytes } of apps) assert.ok((rssBytes ?? 0) > 1_000_000);
      assert.ok(![site.pid, ...(await site.sitePids())].includes(pid), 'it is a process of its own');
      const said = site.records.filter(({ event }) => event === 'application').map(({ msg }) => String(msg));
      assert.ok(
        said.some((line) => /listening on .*3000/.test(line)),
        said.join('\n'),
      );
      assert.ok(said.every((line) => !/easyserve/.test(line)));
    });
  }

  testIn('the client, as a framework shows it without trusting a proxy', async (t) => {
    const site = await startSite(t, mode, 'express', { trustedProxies: ['127.0.0.1'] });
    const headers = { 'X-Forwarded-For': '203.0.113.7', 'X-Forwarded-Proto': 'https' };
    const { text } = await ask(site.url, '/client', { headers });
    assert.deepEqual(JSON.parse(text), { ip: '203.0.113.7', protocol: 'https' });
  });

  testIn('reloads under load: no request fails', async (t) => {
    const site = await startSite(t, mode, 'express');
    const tally = await loadDuring(site.url, { connections: 6, minRequests: 1000 }, async () => {
      for (const version of ['two', 'three']) {
        site.writeFile('version.txt', version);
        await reload(site);
      }
    });
    expectNoFailures(tally, { atLeast: 1000, versions: ['one', 'two', 'three'] });
    assert.deepEqual(
      site.records.filter(({ event }) => event === 'app-crashed'),
      [],
    );
  });

  testIn('a request that a reload finds in flight is answered by the old release', async (t) => {
    const site = await startSite(t, mode, 'fastify');
    const held = ask(site.url, '/hold');
    await untilInFlight(site, 1);
    site.writeFile('version.txt', 'two');
    const reloaded = reload(site);
    await eventually(async () => assert.match((await ask(site.url, '/')).text, /^version two/));
    site.writeFile('gate', '');
    assert.equal((await held).text, 'held by one');
    await reloaded;
    await eventually(async () =>
      assert.deepEqual([...new Set((await site.apps()).map(({ generation }) => generation))], [2]),
    );
  });

  testIn('a release that does not start leaves the old one in service', async (t) => {
    const site = await startSite(t, mode, 'node');
    site.writeFile('server.js', 'const x = ;');
    const broken = await site.cli('reload');
    assert.equal(broken.code, 9, broken.stderr);
    assert.match(broken.stderr, /could not be loaded: SyntaxError: Unexpected token ';'/);
    site.writeFile(
      'server.js',
      "import { createServer } from 'node:http'; createServer().listen(1); createServer().listen(2);",
    );
    const twice = await site.cli('reload');
    assert.equal(twice.code, 9, twice.stderr);
    assert.match(twice.stderr, /it listens twice, on port 1 and on port 2/);
    assert.match((await ask(site.url, '/')).text, /^version one/);
  });
});

async function startSite(
  t: TestContext,
  mode: Mode,
  framework: (typeof frameworks)[number],
  settings: Readonly<Record<string, unknown>> = {},
): Promise<Easyserve> {
  return startEasyserve(t, {
    mode,
    fixture: 'node-site',
    settings,
    env: { FRAMEWORK: framework },
    prepare: (dir) => symlinkSync(join(repositoryRoot, 'node_modules'), join(dir, 'node_modules')),
  });
}

async function reload(site: Easyserve): Promise<void> {
  const { code, stderr } = await site.cli('reload');
  assert.equal(code, 0, stderr);
}
