import assert from 'node:assert/strict';
import { appendFileSync } from 'node:fs';
import { constants } from 'node:http2';
import { join } from 'node:path';
import { askHttp2 } from '../support/ask-http2.js';
import { applicationModules, breakRelease } from '../support/broken-release.js';
import { makeTempDir } from '../support/copy-fixture.js';
import type { Easyserve } from '../support/easyserve.js';
import { eventually } from '../support/eventually.js';
import { forEachMode } from '../support/for-each-mode.js';
import { ask } from '../support/http-client.js';
import { describeTally, expectNoFailures, loadDuring } from '../support/load-during.js';
import { ProbeRecords } from '../support/probe-records.js';
import { describeProcess } from '../support/processes.js';
import { openHttp2, securePortOf, writePair } from '../support/secure-client.js';
import { startEasyserve } from '../support/start-easyserve.js';
import { makeCertificate } from '../support/tls-material.js';

const certificate = await makeCertificate(['example.com']);

// Everything stops and starts again, but the listening socket: clients wait, and are not refused.
forEachMode(['single', 'cluster'], (mode, testIn) => {
  testIn(
    'a restart under load: clients on new and kept connections wait, and none is refused or cut',
    async (t) => {
      const site = await startEasyserve(t, { fixture: 'django-site', mode });
      const fronts = await site.sitePids();
      const tally = await loadDuring(site.url, { connections: 4, minRequests: 300 }, async () => {
        for (const version of ['v2', 'v3']) {
          site.writeFile('VERSION', `${version}\n`);
          assert.match((await restart(site)).stdout, /^Restarted: generation [23] serves\.$/m);
          assert.equal((await ask(site.url, '/version')).headers['x-fixture-version'], version);
        }
      });
      // Each client waits with a fresh connection for the new release, while its kept one is silent.
      expectNoFailures(tally, { atLeast: 300, versions: ['v1', 'v2', 'v3'], mayEndIdle: true });

      const { state, generation, pid, sites } = await site.status();
      assert.equal(state, 'running');
      assert.equal(generation, 3);
      assert.equal(pid, site.pid);
      const known = [
        pid,
        ...sites.map((each) => each.pid),
        ...sites.flatMap(({ apps }) => apps.map((app) => app.pid)),
      ];
      assert.deepEqual(
        site
          .processes()
          .filter((each) => !known.includes(each))
          .map(describeProcess),
        [],
      );
      if (mode === 'cluster')
        assert.ok(
          sites.every((each) => !fronts.includes(each.pid)),
          'the fronts are new ones',
        );
    },
  );

  testIn(
    'a restart under load over HTTP/2: no request is lost, on kept connections and on new ones',
    async (t) => {
      const pair = writePair(makeTempDir(t), 'site', certificate);
      const site = await startEasyserve(t, {
        mode,
        fixture: 'wsgi-hello',
        settings: { httpsPort: 0, tls: pair },
      });
      const port = await securePortOf(site);
      const tally = { answers: 0, refused: 0, failures: [] as string[] };
      let isOver = false;
      const visitors = [1, 2, 3].map(async () => {
        let session = await openHttp2(t, port, { host: 'example.com' });
        while (!isOver) {
          if (session.closed || session.destroyed)
            session = await openHttp2(t, port, { host: 'example.com' });
          const { status, code } = await askHttp2(session, '/').catch((error: Error) => ({
            status: 0,
            code: error.message,
          }));
          if (status === 200 && code === 0) tally.answers += 1;
          // Not processed for sure, so that each client sends it again (RFC 9113 section 8.7).
          else if (code === constants.NGHTTP2_REFUSED_STREAM) tally.refused += 1;
          else tally.failures.push(`${status} ${code}`);
        }
      });
      const more = async (): Promise<void> => {
        const enough = tally.answers + 60;
        await eventually(() => assert.ok(tally.answers >= enough, JSON.stringify(tally)), {
          timeoutMs: 20_000,
        });
      };
      await more();
      await restart(site);
      await more();
      await restart(site);
      await more();
      isOver = true;
      await Promise.all(visitors);
      assert.deepEqual(tally.failures, []);
    },
  );

  testIn('requests in flight are answered before the old release ends', async (t) => {
    const site = await startEasyserve(t, { fixture: 'django-site', mode });
    const records = new ProbeRecords(site.dir);
    const held = ask(site.url, '/gated?name=held&count=1&from_gate=1');
    await eventually(async () => assert.ok((await site.apps()).some(({ inFlight }) => inFlight === 1)));

    site.writeFile('VERSION', 'v2\n');
    const restarted = restart(site);
    await eventually(async () => assert.equal((await site.status()).state, 'restarting'));
    records.openGate('held', 1);
    const { status, headers } = await held;
    assert.equal(status, 200);
    assert.equal(headers['x-fixture-version'], 'v1');
    await restarted;
    assert.equal((await ask(site.url, '/version')).headers['x-fixture-version'], 'v2');
  });

  for (const release of ['import-error', 'hang-at-import', 'answers-500'] as const) {
    testIn(`a restart is refused by a release with ${release}, and the old one serves on`, async (t) => {
      const settings = { readyTimeoutMs: 3000 };
      const site = await startEasyserve(t, { fixture: 'django-site', mode, settings });
      const before = await site.appPids();
      const tally = await loadDuring(site.url, { connections: 2, minRequests: 100 }, async () => {
        const mend = breakRelease(site.dir, release, applicationModules['django-site']);
        const { code, stderr } = await site.cli('restart');
        assert.equal(code, 5, stderr);
        assert.match(
          stderr,
          /^easyserve: The restart was refused, the old release still serves: The application /m,
        );
        assert.deepEqual(await site.appPids(), before);
        assert.equal((await site.status()).state, 'running');
        mend();
      });
      expectNoFailures(tally, { atLeast: 100 });
      assert.equal((await restart(site)).code, 0);
    });
  }

  testIn('a restart is refused by wrong settings', async (t) => {
    const site = await startEasyserve(t, { fixture: 'django-site', mode, settings: { watch: false } });
    site.writeSettings({ treads: 3 });
    const { code, stderr } = await site.cli('restart');
    assert.equal(code, 3, stderr);
    assert.match(stderr, /treads/);
    assert.equal((await ask(site.url, '/version')).status, 200);
  });

  testIn('a restart brings in what a reload cannot: the other mode', async (t) => {
    const site = await startEasyserve(t, {
      fixture: 'django-site',
      mode,
      inFile: true,
      settings: { watch: false },
    });
    const other = mode === 'single' ? 'cluster' : 'single';
    const tally = await loadDuring(site.url, { connections: 2, minRequests: 100 }, async () => {
      for (const expected of [other, mode]) {
        site.writeFile('VERSION', `${expected}\n`);
        site.writeSettings({ processes: expected === 'single' ? 1 : 2 });
        await restart(site);
        const status = await site.status();
        assert.equal(status.mode, expected);
        assert.equal(status.sites[0]?.pid === site.pid, expected === 'single');
        assert.equal((await site.apps()).length, expected === 'single' ? 1 : 2);
      }
    });
    const failed = tally.failures.filter(({ kind, reused }) => kind !== 'reset' || !reused);
    assert.deepEqual(failed, [], describeTally(tally));
    for (const version of ['v1', other, mode])
      assert.ok((tally.byVersion[version] ?? 0) > 0, describeTally(tally));
  });

  testIn('a restart moves to a changed address, and takes back a scale', async (t) => {
    const env = { JOURNAL_ALLOWED_HOSTS: 'localhost,127.0.0.1,127.0.0.2' };
    const settings = { watch: false };
    const site = await startEasyserve(t, { fixture: 'django-site', mode, inFile: true, env, settings });
    const usual = (await site.apps()).length;
    assert.equal((await site.cli('scale', String(usual + 1))).code, 0);

    site.writeSettings({ host: '127.0.0.2' });
    await restart(site);
    const { urls, sites } = await site.status();
    assert.match(urls[0] ?? '', /^http:\/\/127\.0\.0\.2:/);
    assert.equal(sites.flatMap(({ apps }) => apps).length, usual);
    assert.equal((await ask(urls[0] ?? '', '/version')).status, 200);
    await assert.rejects(ask(site.url, '/version'), { code: 'ECONNREFUSED' });
  });

  testIn('stopped in the middle of a restart: ends in an orderly way', async (t) => {
    const site = await startEasyserve(t, { fixture: 'django-site', mode });
    const module = join(site.dir, applicationModules['django-site']);
    // The first import is the trial beside the old release; the second comes when that has ended.
    appendFileSync(
      module,
      [
        '',
        'import pathlib, threading',
        "if pathlib.Path('tried').exists():",
        "    print('hanging', flush=True)",
        '    threading.Event().wait()',
        "pathlib.Path('tried').touch()",
        '',
      ].join('\n'),
    );
    const restarted = site.cli('restart');
    await site.waitFor('application', ({ msg }) => msg === 'hanging');
    site.signal('SIGTERM');
    assert.deepEqual(await site.ended, { code: 0, signal: null });
    assert.notEqual((await restarted).code, 0);
  });
});

async function restart(site: Easyserve): Promise<{ code: number | null; stdout: string }> {
  const result = await site.cli('restart');
  assert.equal(result.code, 0, result.stderr);
  return result;
}
