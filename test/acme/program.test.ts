import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { makeTempDir } from '../support/copy-fixture.js';
import type { Easyserve } from '../support/easyserve.js';
import { eventually } from '../support/eventually.js';
import { forEachMode, integrationTimeoutMs, type Mode } from '../support/for-each-mode.js';
import { freePort } from '../support/free-port.js';
import { ask } from '../support/http-client.js';
import { expectNoFailures, loadDuring } from '../support/load-during.js';
import { type Pebble, startPebble } from '../support/pebble.js';
import { askSecurely, certificateFor, trust, untilServed } from '../support/secure-client.js';
import { startEasyserve } from '../support/start-easyserve.js';
import { makeCertificate } from '../support/tls-material.js';

const dayMs = 86_400_000;

interface Ports {
  readonly http: number;
  readonly https: number;
}

/** Pebble has to know them first. */
async function choosePorts(): Promise<Ports> {
  return { http: await freePort(), https: await freePort() };
}

interface Site {
  readonly mode: Mode;
  readonly ports: Ports;
  readonly domains: readonly string[];
  readonly acmeFolder: string;
}

function serve(
  t: TestContext,
  pebble: Pebble,
  { mode, ports, domains, acmeFolder }: Site,
): Promise<Easyserve> {
  return startEasyserve(t, {
    mode,
    fixture: 'wsgi-hello',
    inFile: true,
    settings: {
      ...{ port: ports.http, httpsPort: ports.https, domains, acmeFolder },
      ...{ acmeDirectory: pebble.directoryUrl, acmeCaFile: pebble.caFile },
      fronts: mode === 'cluster' ? 2 : 'auto',
    },
  });
}

async function untilStates(easyserve: Easyserve, ...states: readonly string[]): Promise<void> {
  await eventually(
    async () => {
      const { certificates } = await easyserve.status();
      assert.deepEqual(
        certificates.map(({ state }) => state),
        states,
        JSON.stringify(certificates),
      );
    },
    { timeoutMs: 30_000, intervalMs: 100 },
  );
}

/** What stands in the folder for a name: key and chain. */
function keptFile(acmeFolder: string, name: string): string {
  const [directory = ''] = readdirSync(acmeFolder);
  return join(acmeFolder, directory, `${name}.pem`);
}

forEachMode(['single', 'cluster'], (mode, testIn) => {
  testIn('from a start without the authority to a renewal under load, and over a restart', async (t) => {
    const [ports, acmeFolder] = [await choosePorts(), makeTempDir(t)];
    const domains = ['one.example', 'two.example'];
    const pebble = await startPebble(t, { httpPort: ports.http, tlsPort: ports.https });
    await pebble.stop();
    const easyserve = await serve(t, pebble, { mode, ports, domains, acmeFolder });
    const plain = `http://127.0.0.1:${ports.http}/`;

    await t.test('HTTP is served at once, HTTPS with a placeholder, and the status says why', async () => {
      const asOne = { headers: { Host: 'one.example' } };
      assert.equal((await ask(plain, '/', asOne)).status, 200);
      assert.equal((await askSecurely(ports.https, '/', { host: 'one.example' })).status, 200);
      await untilStates(easyserve, 'failing', 'failing');
      const { stdout } = await easyserve.cli('status');
      assert.match(stdout, /^one\.example +failing +in (1 min|\d\d s)/m);
      assert.match(stdout, /^two\.example: 127\.0\.0\.1:\d+ can't be reached: it refuses connections\.$/m);
    });

    let ca = '';
    await t.test('the authority is back: the certificates are swapped in live, in every worker', async () => {
      const before = await certificateFor(ports.https, 'one.example');
      await pebble.start();
      ca = await pebble.root();
      easyserve.writeSettings({ acmeEmail: 'first@example.org' });
      for (const _ of domains) await easyserve.waitFor('certificate-issued');
      await untilStates(easyserve, 'valid', 'valid');
      for (const host of domains) {
        const served = await certificateFor(ports.https, host);
        await untilServed(ports.https, host, { certificatePem: served });
        assert.notEqual(served, before);
        assert.equal((await askSecurely(ports.https, '/', { host, ca })).status, 200);
        const { status, headers } = await ask(plain, '/a?b', { headers: { Host: `${host}:${ports.http}` } });
        assert.deepEqual([status, headers.location], [308, `https://${host}:${ports.https}/a?b`]);
      }
      assert.match(
        (await easyserve.cli('status')).stdout,
        /^one\.example +valid +Pebble .* \(in 23 h .*\) +in 1\d h/m,
      );
    });

    await t.test('a renewal under load', async () => {
      const old = await makeCertificate(['one.example'], {
        notBeforeMs: Date.now() - 80 * dayMs,
        notAfterMs: Date.now() + 10 * dayMs,
      });
      writeFileSync(keptFile(acmeFolder, 'one.example'), `${old.keyPem}${old.certificatePem}`);
      const load = {
        connections: 4,
        minRequests: 100,
        host: 'one.example',
        tls: { rejectUnauthorized: false },
      };
      const tally = await loadDuring(`https://127.0.0.1:${ports.https}/`, load, async () => {
        easyserve.writeSettings({ acmeEmail: 'second@example.org' });
        const issued = await easyserve.waitFor(
          'certificate-issued',
          ({ names }) => String(names) === 'one.example',
        );
        assert.match(String(issued.issuer), /Pebble/);
        await eventually(async () => {
          const { status } = await askSecurely(ports.https, '/', { host: 'one.example', ca });
          assert.equal(status, 200);
        });
      });
      expectNoFailures(tally, { atLeast: 100 });
      const served = await certificateFor(ports.https, 'one.example');
      await untilServed(ports.https, 'one.example', { certificatePem: served });
    });

    await t.test(
      'a restart, and a new start, order nothing, and serve them from the first moment on',
      async () => {
        const served = await certificateFor(ports.https, 'two.example');
        assert.equal((await easyserve.cli('restart')).code, 0);
        assert.equal(await certificateFor(ports.https, 'two.example'), served);
        await easyserve.stop();
        const [again, first] = await Promise.all([
          serve(t, pebble, { mode, ports, domains, acmeFolder }),
          eventually(() => certificateFor(ports.https, 'two.example'), { timeoutMs: 30_000, intervalMs: 2 }),
        ]);
        assert.equal(first, served);
        await untilStates(again, 'valid', 'valid');
        const orders = [...easyserve.records, ...again.records].filter(
          ({ event }) => event === 'certificate-issued',
        );
        assert.equal(orders.length, 3);
      },
    );
  });

  testIn('where port 80 is somebody else, the proof is by TLS, in whichever worker is asked', async (t) => {
    const [ports, acmeFolder] = [await choosePorts(), makeTempDir(t)];
    const nobody = await freePort();
    const pebble = await startPebble(t, { httpPort: nobody, tlsPort: ports.https });
    const domains = ['tls.example'];
    const easyserve = await serve(t, pebble, { mode, ports, domains, acmeFolder });
    await untilStates(easyserve, 'valid');
    const ca = await pebble.root();
    const load = { connections: 2, minRequests: 60, host: 'tls.example', tls: trust('tls.example', ca) };
    const tally = await loadDuring(`https://127.0.0.1:${ports.https}/`, load, async () => {});
    expectNoFailures(tally, { atLeast: 60 });
  });
});

test('two instances that share the folder order once, and both serve the certificate', {
  timeout: integrationTimeoutMs,
}, async (t) => {
  const acmeFolder = makeTempDir(t);
  const ports = [await choosePorts(), await choosePorts()];
  const balancer = await startBalancer(t, ports);
  const pebble = await startPebble(t, { httpPort: balancer, tlsPort: await freePort() });
  const domains = ['both.example'];
  const instances = await Promise.all(
    ports.map((own) => serve(t, pebble, { mode: 'single', ports: own, domains, acmeFolder })),
  );
  for (const instance of instances) await untilStates(instance, 'valid');
  const served = await Promise.all(ports.map(({ https }) => certificateFor(https, 'both.example')));
  assert.equal(served[0], served[1]);
  const events = instances.flatMap(({ records }) => records.map(({ event }) => event));
  assert.equal(events.filter((event) => event === 'certificate-issued').length, 1);
  assert.equal(events.filter((event) => event === 'certificate-failed').length, 0);
});

/** Before two machines with the same name: whoever has the answer gives it. */
async function startBalancer(t: TestContext, ports: readonly Ports[]): Promise<number> {
  const server = createServer(async (request, response) => {
    const headers = { Host: request.headers.host ?? '' };
    const answers = await Promise.all(
      ports.map(({ http }) => ask(`http://127.0.0.1:${http}/`, request.url ?? '/', { headers })),
    );
    const answer = answers.find(({ status }) => status === 200);
    response.writeHead(answer?.status ?? 404).end(answer?.body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => new Promise((resolve) => server.close(resolve)));
  return (server.address() as AddressInfo).port;
}
