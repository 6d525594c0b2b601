import assert from 'node:assert/strict';
import { appendFileSync, existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { applicationModules, breakRelease } from '../support/broken-release.js';
import type { Easyserve } from '../support/easyserve.js';
import { eventually } from '../support/eventually.js';
import { forEachMode } from '../support/for-each-mode.js';
import { ask, openAnswer } from '../support/http-client.js';
import { describeTally, loadDuring } from '../support/load-during.js';
import { ProbeRecords } from '../support/probe-records.js';
import { rawConnection } from '../support/raw-connection.js';
import { startEasyserve } from '../support/start-easyserve.js';
import { untilInFlight } from '../support/until-in-flight.js';
import { untilQueued } from '../support/until-queued.js';

const inOrder = { code: 0, signal: null };

const ways: Readonly<Record<string, (site: Easyserve) => Promise<unknown>>> = {
  SIGTERM: async (site) => site.signal('SIGTERM'),
  SIGINT: async (site) => site.signal('SIGINT'),
  'easyserve stop': async (site) => {
    const { code, stdout, stderr } = await site.cli('stop');
    assert.equal(code, 0, stderr);
    assert.equal(stdout, 'Stopped.\n');
    assert.ok(site.processes().length === 0, 'it returns when nothing is left');
  },
};

// That nothing is left, no process, socket or file, startEasyserve looks for at the end of each test.
forEachMode(['single', 'cluster'], (mode, testIn) => {
  for (const [name, stop] of Object.entries(ways)) {
    testIn(`${name}: what is in flight is answered, new clients are refused`, async (t) => {
      const site = await startEasyserve(t, { fixture: 'django-site', mode });
      const records = new ProbeRecords(site.dir);
      const held = ask(site.url, '/gated?name=held&count=1&from_gate=1');
      await untilInFlight(site, 1);

      const stopped = stop(site);
      await site.waitFor('stopping');
      await eventually(() => assert.rejects(ask(site.url, '/version'), { code: 'ECONNREFUSED' }));
      assert.equal(site.hasEnded, false);
      records.openGate('held', 1);
      const { status, text, headers } = await held;
      assert.equal(status, 200);
      assert.equal(text, 'line 1\n');
      assert.equal(headers.connection, 'close');
      await stopped;
      assert.deepEqual(await site.ended, inOrder);
    });
  }

  testIn('requests that wait for a thread are answered too', async (t) => {
    const site = await startEasyserve(t, { fixture: 'django-site', mode, settings: { threads: 1 } });
    const threads = mode === 'single' ? 1 : 2;
    const running = Array.from({ length: threads }, () => ask(site.url, '/slow?ms=1500'));
    await untilInFlight(site, threads);
    const waiting = Array.from({ length: 6 }, () => ask(site.url, '/slow?ms=20', { method: 'POST' }));
    await untilQueued(site, waiting.length);

    site.signal('SIGTERM');
    for (const { status } of await Promise.all([...running, ...waiting])) assert.equal(status, 200);
    assert.deepEqual(await site.ended, inOrder);
  });

  testIn('an upload on its way in is taken, and a download on its way out is finished', async (t) => {
    const site = await startEasyserve(t, { fixture: 'django-site', mode });
    const half = 'x'.repeat(400_000);
    const upload = await rawConnection(t, site.url);
    upload.send(
      `POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${2 * half.length}\r\n\r\n${half}`,
    );
    await eventually(() => assert.notDeepEqual(readdirSync(join(site.dir, '.easyserve', 'spool')), []));
    const content = Buffer.alloc(40_000_000, 'every byte of it ');
    writeFileSync(join(site.dir, 'large'), content);
    // The application has nothing to do with it any more.
    const download = await openAnswer(site.url, '/file?path=large');
    await untilInFlight(site, 0);

    site.signal('SIGTERM');
    await site.waitFor('stopping');
    // A worker hears of it a little later than the primary says so.
    await eventually(() => assert.rejects(ask(site.url, '/version'), { code: 'ECONNREFUSED' }));
    upload.send(half);
    const answer = await upload.readToEnd();
    assert.match(answer, /^HTTP\/1\.1 200 /);
    assert.match(answer, /^Connection: close\r$/m);
    assert.match(answer, new RegExp(`"length": ${2 * half.length}`));
    const pieces: Buffer[] = [];
    for await (const piece of download) pieces.push(piece as Buffer);
    assert.ok(Buffer.concat(pieces).equals(content), 'the file is not what it was');
    assert.deepEqual(await site.ended, inOrder);
  });

  testIn(
    'who has just connected, or had an answer, may still ask; who says nothing holds nothing up',
    async (t) => {
      const site = await startEasyserve(t, { fixture: 'django-site', mode });
      const request = 'GET /version HTTP/1.1\r\nHost: localhost\r\n\r\n';
      const [kept, silent] = [await rawConnection(t, site.url), await rawConnection(t, site.url)];
      for (const connection of [silent, kept]) {
        connection.send(request);
        await connection.readUntil('"version": "v1"}');
        connection.forget();
      }
      const late = await rawConnection(t, site.url);

      site.signal('SIGTERM');
      for (const connection of [kept, late]) connection.send(request);
      for (const connection of [kept, late]) assert.match(await connection.readToEnd(), /^HTTP\/1\.1 200 /);
      assert.equal(await silent.readToEnd(), '');
      assert.deepEqual(await site.ended, inOrder);
    },
  );

  testIn('what the application does after an answer is finished', async (t) => {
    const site = await startEasyserve(t, { fixture: 'django-site', mode, prepare: addWorkAfterAnswers });
    assert.equal((await ask(site.url, '/version')).status, 200);
    site.signal('SIGTERM');
    assert.deepEqual(await site.ended, inOrder);
    assert.ok(existsSync(join(site.dir, 'finished')));
  });

  testIn('under load: whoever gets an answer gets all of it', async (t) => {
    const site = await startEasyserve(t, { fixture: 'django-site', mode });
    const tally = await loadDuring(site.url, { connections: 8 }, async () => {
      await eventually(() => assert.ok(site.records.filter(({ event }) => event === 'access').length > 300));
      site.signal('SIGTERM');
      assert.deepEqual(await site.ended, inOrder);
    });
    assert.ok(tally.ok > 300, describeTally(tally));
    // Nobody is there any more; or the kernel had taken the connection and nobody had taken it from there.
    const unserved = tally.failures.filter(({ kind }) => kind === 'refused' || kind === 'reset');
    assert.equal(unserved.length, tally.failures.length, describeTally(tally));
    // One request of each client at most.
    assert.ok(unserved.filter(({ kind }) => kind === 'reset').length <= 8, describeTally(tally));
  });

  testIn('a slow client is cut at drainTimeoutMs', async (t) => {
    const drainTimeoutMs = 1500;
    const site = await startEasyserve(t, { fixture: 'django-site', mode, settings: { drainTimeoutMs } });
    const records = new ProbeRecords(site.dir);
    const slow = await rawConnection(t, site.url);
    slow.send('GET /endless?name=slow HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await slow.readUntil('\r\n\r\n');
    slow.pause();

    const startedAtMs = performance.now();
    site.signal('SIGTERM');
    assert.deepEqual(await site.ended, inOrder);
    assert.ok(performance.now() - startedAtMs >= drainTimeoutMs - 50, 'it had its time');
    assert.equal(records.read('slow'), 'closed', 'the application has heard of it');
  });

  testIn(
    'a request that runs longer than drainTimeoutMs gets an error page, and the log says so',
    async (t) => {
      const site = await startEasyserve(t, {
        fixture: 'django-site',
        mode,
        settings: { drainTimeoutMs: 300 },
      });
      const slow = ask(site.url, '/slow?ms=60000', { method: 'POST' });
      await untilInFlight(site, 1);
      site.signal('SIGTERM');
      assert.equal((await slow).status, 502);
      assert.deepEqual(await site.ended, inOrder);
      assert.ok(site.records.some(({ event }) => event === 'drain-timeout'));
    },
  );

  testIn('during a reload whose release hangs at import', async (t) => {
    const site = await startEasyserve(t, { fixture: 'django-site', mode });
    breakRelease(site.dir, 'hang-at-import', applicationModules['django-site']);
    const reload = site.cli('reload');
    await site.waitFor('application', ({ msg }) => msg === 'waiting for something that never comes');
    assert.equal((await site.cli('stop')).code, 0);
    assert.deepEqual(await site.ended, inOrder);
    const { code, stderr } = await reload;
    assert.equal(code, 9);
    assert.match(stderr, /easyserve is stopping|broken off|could not be loaded|exited/);
    assert.ok(!site.records.some(({ event }) => event === 'reload-failed'), 'nobody refused it');
  });

  testIn('an application that answers to nothing any more is killed after killTimeoutMs', async (t) => {
    const settings = { drainTimeoutMs: 300, killTimeoutMs: 700 };
    const site = await startEasyserve(t, { fixture: 'django-site', mode, settings, prepare: addFreezing });
    const { outcome } = await freeze(site);
    const startedAtMs = performance.now();
    site.signal('SIGTERM');
    assert.deepEqual(await site.ended, inOrder);
    assert.ok(performance.now() - startedAtMs >= 950, 'it had its time');
    assert.ok(['cut', 502, 503].includes(await outcome));
  });

  testIn('a second signal ends even such an application at once', async (t) => {
    const site = await startEasyserve(t, { fixture: 'django-site', mode, prepare: addFreezing });
    await freeze(site);
    site.signal('SIGTERM');
    await site.waitFor('stopping');
    // One that comes too soon after the first is taken for its echo (src/signals.ts).
    const insist = () => {
      if (!site.hasEnded) site.signal('SIGTERM');
      assert.ok(site.hasEnded, 'still there');
    };
    await eventually(insist, { timeoutMs: 10_000, intervalMs: 100 });
    assert.deepEqual(await site.ended, { code: 130, signal: null });
  });
});

/** Django's request_finished is sent when the server closes the answer, after its last byte. */
function addWorkAfterAnswers(dir: string): void {
  appendFileSync(
    join(dir, applicationModules['django-site']),
    [
      '',
      'import pathlib, time',
      'from django.core.signals import request_finished',
      'def finish(**kwargs):',
      '    time.sleep(1)',
      "    pathlib.Path('finished').touch()",
      'request_finished.connect(finish)',
      '',
    ].join('\n'),
  );
}

/** A view that stops the whole process: PyDLL keeps the GIL, so no thread and no signal handler runs any more. */
function addFreezing(dir: string): void {
  appendFileSync(
    join(dir, applicationModules['django-site']),
    [
      '',
      'import ctypes',
      'django_application = application',
      'def application(environ, start_response):',
      "    if environ['PATH_INFO'] == '/freeze':",
      "        print('freezing', flush=True)",
      '        ctypes.PyDLL(None).sleep(600)',
      '    return django_application(environ, start_response)',
      '',
    ].join('\n'),
  );
}

/** Resolves when a process is frozen; what comes of the request is for later. */
async function freeze(site: Easyserve): Promise<{ outcome: Promise<number | 'cut'> }> {
  const outcome = ask(site.url, '/freeze', { method: 'POST' }).then(
    ({ status }) => status,
    () => 'cut' as const,
  );
  await site.waitFor('application', ({ msg }) => msg === 'freezing');
  return { outcome };
}
