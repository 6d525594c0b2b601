import assert from 'node:assert/strict';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { ArrivingText } from '../support/arriving-text.js';
import type { Easyserve } from '../support/easyserve.js';
import { eventually } from '../support/eventually.js';
import { forEachMode, type Mode } from '../support/for-each-mode.js';
import { ask, type HttpAnswer, openAnswer } from '../support/http-client.js';
import { logged } from '../support/logged.js';
import { ProbeRecords } from '../support/probe-records.js';
import { rawConnection } from '../support/raw-connection.js';
import { startEasyserve } from '../support/start-easyserve.js';
import { untilInFlight } from '../support/until-in-flight.js';
import { untilQueued } from '../support/until-queued.js';

// Requests that a reload finds in the middle of something.
forEachMode(['single', 'cluster'], (mode, testIn) => {
  testIn('a slow request is answered by the old release, while new ones go to the new one', async (t) => {
    const site = await startSite(t, mode);
    const records = new ProbeRecords(site.dir);
    let isAnswered = false;
    const slow = ask(site.url, '/gated?name=slow&count=1&from_gate=1').finally(() => {
      isAnswered = true;
    });
    await untilInFlight(site, 1);

    const reloaded = bringIn(site, 'v2');
    await untilServed(site, 'v2');
    assert.equal(isAnswered, false);
    records.openGate('slow', 1);
    assertAnswer(await slow, 'v1');
    await reloaded;
    assert.deepEqual(await generations(site), [2]);
  });

  testIn('what runs longer than drainTimeoutMs is cut, and the log says so', async (t) => {
    const site = await startSite(t, mode, { drainTimeoutMs: 300 });
    const silent = ask(site.url, '/slow?ms=60000', { method: 'POST' });
    const stream = new ArrivingText(await openAnswer(site.url, '/stream?count=600&delay_ms=100'));
    await stream.until('line 1\n');
    await untilInFlight(site, 2);

    await bringIn(site, 'v2');
    assert.equal((await silent).status, 502);
    await stream.toEnd();
    assert.ok(stream.error !== undefined, 'the end of a cut stream must not look like its end');
    const cut = site.records.filter(({ event }) => event === 'drain-timeout');
    assert.equal(
      cut.reduce((sum, { inFlight }) => sum + Number(inFlight), 0),
      2,
    );
    assert.deepEqual(await generations(site), [2]);
  });

  testIn('a GET without an answer at drainTimeoutMs is sent to the new release once more', async (t) => {
    const site = await startSite(t, mode, { drainTimeoutMs: 300 });
    const records = new ProbeRecords(site.dir);
    const slow = ask(site.url, '/gated?name=slow&count=1&from_gate=1');
    await untilInFlight(site, 1);
    await bringIn(site, 'v2');
    records.openGate('slow', 1);
    assertAnswer(await slow, 'v2');
    assert.ok(site.records.some(({ event }) => event === 'request-retried'));
  });

  testIn('a stream arrives whole, although the reload comes in its middle', async (t) => {
    const site = await startSite(t, mode);
    const records = new ProbeRecords(site.dir);
    const body = await openAnswer(site.url, '/gated?name=stream&count=3');
    assert.equal(body.headers['x-fixture-version'], 'v1');
    const stream = new ArrivingText(body);
    await stream.until('line 1\n');

    const reloaded = bringIn(site, 'v2');
    await untilServed(site, 'v2');
    records.openGate('stream', 2);
    await stream.until('line 2\n');
    records.openGate('stream', 3);
    assert.equal(await stream.toEnd(), 'line 1\nline 2\nline 3\n');
    assert.equal(stream.error, undefined);
    await reloaded;
    assert.deepEqual(await generations(site), [2]);
  });

  testIn('a connection that is kept open goes on with the new release', async (t) => {
    const site = await startSite(t, mode);
    const connection = await rawConnection(t, site.url);
    for (const version of ['v1', 'v2', 'v3']) {
      if (version !== 'v1') await bringIn(site, version);
      connection.forget();
      connection.send('GET /version HTTP/1.1\r\nHost: localhost\r\n\r\n');
      const answer = await connection.readUntil(/\{"version".*\}/);
      assert.match(answer, new RegExp(`"version": "${version}"`));
      assert.doesNotMatch(answer, /^Connection: close/im);
    }
  });

  testIn('requests that wait for a thread are answered by the new release', async (t) => {
    const site = await startSite(t, mode, { threads: 1 });
    const records = new ProbeRecords(site.dir);
    const threads = mode === 'single' ? 1 : 2;
    const running = Array.from({ length: threads }, () =>
      ask(site.url, '/gated?name=running&count=1&from_gate=1'),
    );
    await untilInFlight(site, threads);
    const waiting = Array.from({ length: 12 }, () => ask(site.url, '/slow?ms=20', { method: 'POST' }));
    await untilQueued(site, waiting.length);

    const reloaded = bringIn(site, 'v2');
    for (const answer of await Promise.all(waiting)) assertAnswer(answer, 'v2');
    records.openGate('running', 1);
    for (const answer of await Promise.all(running)) assertAnswer(answer, 'v1');
    await reloaded;
  });

  testIn('an upload on its way in goes to the new release', async (t) => {
    const site = await startSite(t, mode);
    const connection = await rawConnection(t, site.url);
    const half = 'x'.repeat(400_000);
    connection.send(
      `POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${2 * half.length}\r\n\r\n${half}`,
    );
    await eventually(() => assert.notDeepEqual(readdirSync(join(site.dir, '.easyserve', 'spool')), []));

    await bringIn(site, 'v2');
    connection.send(half);
    const answer = await connection.readUntil(/\{"version".*\}/);
    assert.match(answer, /^HTTP\/1\.1 200 /);
    assert.match(answer, new RegExp(`"version": "v2".*"length": ${2 * half.length}`));
  });

  testIn('a file that the old release handed over is sent to its end', async (t) => {
    const size = 40_000_000;
    const site = await startSite(t, mode);
    const picture = (await ask(site.url, '/photos/1/download/')).headers['content-disposition'] ?? '';
    const name = /filename="(.+)"/.exec(picture)?.[1] ?? assert.fail(picture);
    const path = findFile(join(site.dir, 'media'), name);
    const content = Buffer.alloc(size, 'every byte of it ');
    writeFileSync(path, content);

    const body = await openAnswer(site.url, '/photos/1/download/');
    assert.equal(body.headers['content-length'], String(size));
    // It is read by nobody yet; the application has nothing to do with it any more.
    await untilInFlight(site, 0);
    await bringIn(site, 'v2');
    const pieces: Buffer[] = [];
    for await (const piece of body) pieces.push(piece as Buffer);
    assert.ok(Buffer.concat(pieces).equals(content), 'the file is not what it was');
  });

  testIn('clients that leave during the switch hold nothing up', async (t) => {
    const site = await startSite(t, mode, { drainTimeoutMs: 20_000 });
    const connection = await rawConnection(t, site.url);
    connection.send('GET /stream?count=1000&delay_ms=50 HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await connection.readUntil('line 2\n');

    const reloaded = bringIn(site, 'v2');
    await untilServed(site, 'v2');
    connection.reset();
    await reloaded;
    await logged(site, 'application', ({ msg }) => msg === 'stream closed early');
    assert.ok(!site.records.some(({ event }) => event === 'drain-timeout'));
    assert.deepEqual(await generations(site), [2]);
  });
});

function startSite(
  t: TestContext,
  mode: Mode,
  settings: Readonly<Record<string, unknown>> = {},
): Promise<Easyserve> {
  return startEasyserve(t, { fixture: 'django-site', mode, settings: { watch: false, ...settings } });
}

/** Resolves when the reload is over, the old release's end included. */
async function bringIn(site: Easyserve, version: string): Promise<void> {
  site.writeFile('VERSION', `${version}\n`);
  const { code, stderr } = await site.cli('reload');
  assert.equal(code, 0, stderr);
}

async function untilServed(site: Easyserve, version: string): Promise<void> {
  await eventually(
    async () => assert.equal((await ask(site.url, '/version')).headers['x-fixture-version'], version),
    { timeoutMs: 30_000 },
  );
}

async function generations(site: Easyserve): Promise<number[]> {
  return [...new Set((await site.apps()).map(({ generation }) => generation))];
}

function assertAnswer({ status, headers, text }: HttpAnswer, version: string): void {
  assert.equal(status, 200, text);
  assert.equal(headers['x-fixture-version'], version);
}

function findFile(folder: string, name: string): string {
  const found = readdirSync(folder, { recursive: true, encoding: 'utf8' }).find((path) =>
    path.endsWith(name),
  );
  return join(folder, found ?? assert.fail(`no ${name} in ${folder}`));
}
