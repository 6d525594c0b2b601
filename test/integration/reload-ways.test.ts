import assert from 'node:assert/strict';
import {
  cpSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { addDjangoSettings } from '../support/django-settings.js';
import type { Easyserve } from '../support/easyserve.js';
import { eventually } from '../support/eventually.js';
import { forEachMode } from '../support/for-each-mode.js';
import { ask } from '../support/http-client.js';
import { expectNoFailures, loadDuring } from '../support/load-during.js';
import { describeProcess } from '../support/processes.js';
import { rawConnection } from '../support/raw-connection.js';
import { startEasyserve } from '../support/start-easyserve.js';

/** For tests of many reloads: each takes half the time without collectstatic, on whose files the start page depends. */
const withoutStatic = ['--set', 'collect=never', '--set', 'healthPath=/version'];

// By which ways a reload is asked for, and what it brings in.
forEachMode(['single', 'cluster'], (mode, testIn) => {
  testIn('every way of writing the settings file is noticed, and a touch is not a change', async (t) => {
    const args = ['--set', 'logLevel=debug', ...withoutStatic];
    const site = await startEasyserve(t, { fixture: 'django-site', mode, args });
    const file = join(site.dir, 'easyserve.json');

    writeFileSync(file, '{"threads": 2}');
    await expectThreads(site, 2, 2);

    writeFileSync(file, '{"threads": 3}');
    await expectThreads(site, 3, 3);

    site.writeFile('easyserve.json', '{"threads": 4}');
    await expectThreads(site, 4, 4);

    mkdirSync(join(site.dir, 'a'));
    mkdirSync(join(site.dir, 'b'));
    writeFileSync(join(site.dir, 'a', 'easyserve.json'), '{"threads": 5}');
    writeFileSync(join(site.dir, 'b', 'easyserve.json'), '{"threads": 6}');
    linkTo('a', join(site.dir, 'shared'));
    linkTo('shared/easyserve.json', file);
    await expectThreads(site, 5, 5);
    linkTo('b', join(site.dir, 'shared'));
    await expectThreads(site, 6, 6);

    utimesSync(join(site.dir, 'b', 'easyserve.json'), new Date(), new Date());
    await site.waitFor('settings-untouched');
    writeFileSync(join(site.dir, 'b', 'easyserve.json'), '{ "threads": 6 }');
    await site.waitFor('reload-nothing');
    assert.equal((await site.status()).generation, 6);

    rmSync(file);
    await site.waitFor('reloaded', ({ generation }) => generation === 7);
  });

  testIn(
    'with watch = false only a reload brings in the settings file, and turns the watch on',
    async (t) => {
      const settings = { watch: false };
      const site = await startEasyserve(t, { fixture: 'django-site', mode, settings, args: withoutStatic });

      site.writeSettings({ threads: 2 });
      await reload(site);
      await expectThreads(site, 2, 2);
      assert.deepEqual(reloadsBegun(site), [true]);

      site.writeSettings({ watch: true });
      await reload(site);
      site.writeSettings({ threads: 3 });
      await expectThreads(site, 4, 3);
      assert.deepEqual(reloadsBegun(site), [true, true, false]);

      site.writeSettings({ watch: false });
      await site.waitFor('reloaded', ({ changes }) => String(changes) === 'watch: true -> false');
      site.writeSettings({ threads: 4 });
      await reload(site);
      await expectThreads(site, 5, 4);
      assert.deepEqual(reloadsBegun(site), [true, true, false, false, true]);
    },
  );

  testIn('EASYSERVER in the settings of Django takes effect with a reload', async (t) => {
    const site = await startEasyserve(t, { fixture: 'django-site', mode });
    const { text } = await ask(site.url, '/');
    const style = /href="(\/static\/[^"]+\.css)"/.exec(text)?.[1] ?? assert.fail(text);
    assert.equal((await ask(site.url, style)).status, 200);

    addDjangoSettings(site.dir, ["EASYSERVER = {'SERVE_STATIC': False, 'THREADS': 2}"]);
    const { stdout } = await reload(site);
    assert.match(stdout, /serveStatic: true -> false/);
    await expectThreads(site, 2, 2);
    assert.equal((await ask(site.url, style)).status, 404);
  });

  testIn('ten SIGHUPs in a burst are few reloads, and the last state counts', async (t) => {
    const site = await startEasyserve(t, { fixture: 'django-site', mode, args: withoutStatic });
    const tally = await loadDuring(site.url, { minRequests: 100, connections: 2 }, async () => {
      for (let release = 2; release <= 11; release += 1) {
        site.writeFile('VERSION', `v${release}\n`);
        site.signal('SIGHUP');
      }
      await site.waitFor('reloaded');
      // Behind all that wait.
      await reload(site);
    });
    expectNoFailures(tally, { atLeast: 100, versions: ['v1', 'v11'] });
    assert.ok(reloadsBegun(site).length <= 3, `${reloadsBegun(site).length} reloads`);
    await expectOneGeneration(site, reloadsBegun(site).length + 1);
  });

  testIn('a reload during a reload waits for it, and brings in what has come since', async (t) => {
    const site = await startEasyserve(t, { fixture: 'django-site', mode, args: withoutStatic });
    slowDownImport(site, 1);
    const tally = await loadDuring(site.url, { minRequests: 100, connections: 2 }, async () => {
      site.writeFile('VERSION', 'v2\n');
      site.signal('SIGHUP');
      await site.waitFor('application', ({ msg }) => msg === 'importing v2');
      site.writeFile('VERSION', 'v3\n');
      const results = await Promise.all([site.cli('reload'), site.cli('reload')]);
      for (const { code, stdout, stderr } of results) {
        assert.equal(code, 0, stderr);
        assert.match(stdout, /generation [34] serves/);
      }
    });
    expectNoFailures(tally, { atLeast: 100, versions: ['v1', 'v2', 'v3'] });
    await expectOneGeneration(site, reloadsBegun(site).length + 1);
  });

  testIn('a `current` link that is turned to another release is followed by a reload', async (t) => {
    const site = await startEasyserve(t, { fixture: 'django-site', mode, prepare: makeReleases });
    const releases = join(dirname(site.dir), 'releases');
    assert.match((await ask(site.url, '/static/journal/where.txt')).text, /^first/);

    const tally = await loadDuring(site.url, { minRequests: 100, connections: 2 }, async () => {
      linkTo(join(releases, 'second'), site.dir);
      await reload(site);
    });
    expectNoFailures(tally, { atLeast: 100, versions: ['v1', 'v2'] });
    assert.match((await ask(site.url, '/static/journal/where.txt')).text, /^second/);
    assert.equal((await site.status()).project.root, join(releases, 'second'));

    // What is old may be deleted now.
    rmSync(join(releases, 'first'), { recursive: true });
    assert.equal((await ask(site.url, '/')).status, 200);
  });

  testIn(
    'a changed host: the new address answers, the old one is closed, its connections go on',
    async (t) => {
      const env = { JOURNAL_ALLOWED_HOSTS: 'localhost,127.0.0.1,127.0.0.2' };
      const site = await startEasyserve(t, { fixture: 'django-site', mode, inFile: true, env });
      const kept = await rawConnection(t, site.url);
      kept.send('GET /version HTTP/1.1\r\nHost: localhost\r\n\r\n');
      await kept.readUntil('"version": "v1"}');

      site.writeSettings({ host: '127.0.0.2' });
      await site.waitFor('reloaded');
      const { urls, generation } = await site.status();
      assert.match(urls[0] ?? '', /^http:\/\/127\.0\.0\.2:/);
      assert.equal(generation, 1);

      const moved = await loadDuring(urls[0] ?? '', { minRequests: 100, connections: 2 }, async () => {});
      expectNoFailures(moved, { atLeast: 100 });
      await assert.rejects(ask(site.url, '/version'), { code: 'ECONNREFUSED' });
      for (let round = 0; round < 2; round += 1) {
        kept.forget();
        kept.send('GET /version HTTP/1.1\r\nHost: localhost\r\n\r\n');
        await kept.readUntil('"version": "v1"}');
      }
      assert.equal(kept.isOver, false);
    },
  );

  testIn('more processes in the settings file', async (t) => {
    const site = await startEasyserve(t, { fixture: 'django-site', mode, inFile: true });
    const tally = await loadDuring(site.url, { minRequests: 100, connections: 2 }, async () => {
      site.writeFile('VERSION', 'v2\n');
      site.writeSettings({ processes: 3 });
      await site.waitFor('reloaded');
      // While it looks, the new release is asked too.
      await expectOneGeneration(site, 2, 3);
    });
    expectNoFailures(tally, { atLeast: 100, versions: ['v1', 'v2'] });
  });
});

async function reload(site: Easyserve): Promise<{ stdout: string }> {
  const result = await site.cli('reload');
  assert.equal(result.code, 0, result.stderr);
  return result;
}

/** Of each reload so far: whether somebody asked for it. */
function reloadsBegun(site: Easyserve): unknown[] {
  return site.records.filter(({ event }) => event === 'reload').map(({ isRequested }) => isRequested);
}

async function expectThreads(site: Easyserve, generation: number, threads: number): Promise<void> {
  await eventually(
    async () => {
      const apps = await site.apps();
      assert.deepEqual(
        [...new Set(apps.map((app) => `${app.generation} ${app.threads}`))],
        [`${generation} ${threads}`],
      );
    },
    { timeoutMs: 30_000 },
  );
}

/** Nothing lives but easyserve, its fronts and the processes of this generation. */
async function expectOneGeneration(site: Easyserve, generation: number, processes?: number): Promise<void> {
  await eventually(async () => {
    const { pid, sites, ...status } = await site.status();
    const apps = sites.flatMap(({ apps }) => apps);
    assert.equal(status.generation, generation);
    assert.deepEqual([...new Set(apps.map((app) => app.generation))], [generation]);
    if (processes !== undefined) assert.equal(apps.length, processes);
    const known = [pid, ...sites.map((each) => each.pid), ...apps.map((app) => app.pid)];
    assert.deepEqual(
      site
        .processes()
        .filter((each) => !known.includes(each))
        .map(describeProcess),
      [],
    );
  });
}

/** Symbolic links are replaced as deployment tools do it: there is always one. */
function linkTo(target: string, path: string): void {
  symlinkSync(target, `${path}.new`);
  renameSync(`${path}.new`, path);
}

function slowDownImport({ dir }: Easyserve, seconds: number): void {
  const module = join(dir, 'photojournal', 'wsgi.py');
  const more = [
    'import time',
    'from django.conf import settings',
    "print('importing', settings.VERSION, flush=True)",
    `time.sleep(${seconds})`,
  ];
  writeFileSync(module, `${readFileSync(module, 'utf8')}\n${more.join('\n')}\n`);
}

/** Two releases beside the folder, and the folder becomes a link to the first one. */
function makeReleases(dir: string): void {
  const releases = join(dirname(dir), 'releases');
  mkdirSync(releases);
  renameSync(dir, join(releases, 'first'));
  cpSync(join(releases, 'first'), join(releases, 'second'), { recursive: true });
  writeFileSync(join(releases, 'second', 'VERSION'), 'v2\n');
  for (const name of ['first', 'second']) {
    writeFileSync(join(releases, name, 'journal', 'static', 'journal', 'where.txt'), `${name}\n`);
  }
  symlinkSync(join(releases, 'first'), dir);
}
