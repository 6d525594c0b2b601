import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { ArrivingText } from '../support/arriving-text.js';
import type { Easyserve } from '../support/easyserve.js';
import { forEachMode } from '../support/for-each-mode.js';
import { ask, openAnswer } from '../support/http-client.js';
import { listeningPorts } from '../support/listening-ports.js';
import { expectNoFailures, loadDuring } from '../support/load-during.js';
import { killProcess } from '../support/processes.js';
import { type RawConnection, rawConnection } from '../support/raw-connection.js';
import { startEasyserve } from '../support/start-easyserve.js';
import { untilInFlight } from '../support/until-in-flight.js';

const threads = 2;
const body = randomBytes(300_000);

// What Windows uses, for Python has no Unix sockets there. Everything else about the gateway is as always.
forEachMode(['single', 'cluster'], (mode, testIn) => {
  testIn('over TCP: pages, uploads, streams, a reload, a crash, and nobody else gets in', async (t) => {
    const site = await startEasyserve(t, {
      fixture: 'django-site',
      mode,
      settings: { transport: 'tcp', threads },
    });

    const page = await ask(site.url, '/');
    assert.equal(page.status, 200);
    assert.match(page.text, /<html/);

    const echoed = JSON.parse((await ask(site.url, '/echo', { method: 'POST', body })).text);
    assert.equal(echoed.length, body.length);
    const chunked = await ask(site.url, '/echo', { method: 'POST', body: [body, body] });
    assert.equal(JSON.parse(chunked.text).length, 2 * body.length);

    const stream = new ArrivingText(await openAnswer(site.url, '/stream?count=3&delay_ms=1'));
    assert.equal(await stream.toEnd(), 'line 1\nline 2\nline 3\n');

    // The client leaves in mid-answer: its thread gets a new connection, with the secret shown again.
    for (let round = 0; round < 2 * threads; round += 1) {
      const leaving = await openAnswer(site.url, '/endless');
      leaving.destroy();
    }
    await untilInFlight(site, 0);
    assert.equal((await ask(site.url, '/version')).status, 200);

    await expectStrangersOut(site, await strangersAt(t, site));

    const tally = await loadDuring(site.url, { connections: 4, minRequests: 400 }, async () => {
      site.writeFile('VERSION', 'v2\n');
      const reloaded = await site.cli('reload');
      assert.equal(reloaded.code, 0, reloaded.stderr);
    });
    expectNoFailures(tally, { atLeast: 400, versions: ['v1', 'v2'] });

    for (const pid of await site.appPids()) killProcess(pid, 'SIGKILL');
    await site.waitFor('app-crashed');
    assert.equal((await ask(site.url, '/version')).status, 200);
  });
});

/** Connections to every application process that show nothing, or what is wrong: more than there are threads. */
async function strangersAt(
  t: Parameters<typeof rawConnection>[0],
  site: Easyserve,
): Promise<RawConnection[]> {
  const strangers: RawConnection[] = [];
  for (const pid of await site.appPids()) {
    const [port, ...others] = listeningPorts(pid);
    assert.ok(port !== undefined && others.length === 0, `${pid} listens on ${port} and ${others}`);
    for (let index = 0; index < 2 * threads; index += 1) {
      strangers.push(await rawConnection(t, `http://127.0.0.1:${port}`));
      const forger = await rawConnection(t, `http://127.0.0.1:${port}`);
      forger.send('0'.repeat(32));
      strangers.push(forger);
    }
  }
  return strangers;
}

/** The site serves while they are there, with every thread; they get not a byte, and are closed. */
async function expectStrangersOut(site: Easyserve, strangers: readonly RawConnection[]): Promise<void> {
  const answers = await Promise.all(Array.from({ length: 2 * threads }, () => ask(site.url, '/slow?ms=50')));
  for (const { status } of answers) assert.equal(status, 200);
  for (const stranger of strangers) assert.equal(await stranger.readToEnd(), '');
}
