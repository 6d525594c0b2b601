import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { type TestContext, test } from 'node:test';
import type { Release } from '../../../../src/app/pool/release.js';
import { StartError } from '../../../../src/contracts/errors.js';
import { ListeningSocket } from '../../../../src/sockets/listening-socket.js';
import type { PreparedCertificates } from '../../../../src/supervisor/certificates.js';
import { type ReloadOptions, reload } from '../../../../src/supervisor/reload/reload.js';
import type { SiteSockets } from '../../../../src/supervisor/reload/site-sockets.js';
import { FakeRunner } from '../../../support/fake-runner.js';
import { findFreePort, noCertificates, releaseWith, takePort } from '../../../support/instance-world.js';
import { RecordingLog } from '../../../support/recording-log.js';

const broken = new StartError('app-exited', 'The application exited.');

type Serving = Pick<ReloadOptions, 'release' | 'sockets'>;

interface Reloading {
  readonly runner: FakeRunner;
  readonly log: RecordingLog;
  readonly committed: Serving[];
  readonly serving: Serving;
  readonly steps: string[];
  run(loaded: Release | Error, changed?: Partial<ReloadOptions>): ReturnType<typeof reload>;
}

/** A site that serves `before`, and listens. */
async function serve(t: TestContext, before: Release = releaseWith()): Promise<Reloading> {
  const { host, port } = before.settings;
  const socket = await ListeningSocket.bind(host ?? '127.0.0.1', port ?? 0);
  await listenOn(t, socket);
  const sockets: SiteSockets = new Map([['http', socket]]);
  const serving = { release: before, sockets };
  const runner = new FakeRunner();
  const log = new RecordingLog();
  const committed: Serving[] = [];
  const steps: string[] = [];
  t.after(() => {
    for (const used of [socket, ...runner.sockets]) used.close();
  });
  const run: Reloading['run'] = (loaded, changed) =>
    reload({
      ...serving,
      runner,
      certificates: noCertificates,
      load: async (generation) => {
        if (loaded instanceof Error) throw loaded;
        return { ...loaded, generation };
      },
      isRequested: true,
      onStep: (text) => steps.push(text),
      onCommitted: (release, used) => committed.push({ release, sockets: used }),
      signal: new AbortController().signal,
      log,
      ...changed,
    });
  return { runner, log, committed, serving, steps, run };
}

/** As a Front does it; bound sockets alone do not keep others off a port. */
async function listenOn(t: TestContext, socket: ListeningSocket): Promise<void> {
  const server = createServer().listen(socket.handle);
  await new Promise((resolve) => server.once('listening', resolve));
  t.after(() => server.close());
}

test('asked for: a new generation, although nothing has changed', async (t) => {
  const { runner, committed, steps, run } = await serve(t);
  assert.deepEqual(await run(releaseWith()), { generation: 2, changes: [] });
  assert.deepEqual(runner.calls, ['prepare 2', 'commit', 'configure', 'drained']);
  assert.equal(committed.at(-1)?.release.generation, 2);
  assert.deepEqual(steps, [
    'starting the new application',
    'waiting for the requests of the old application',
  ]);
});

test('a file that was only touched does nothing', async (t) => {
  const { runner, committed, log, run } = await serve(t);
  assert.deepEqual(await run(releaseWith(), { isRequested: false }), { generation: 1, changes: [] });
  assert.deepEqual([runner.calls, committed], [[], []]);
  assert.equal(log.all('reload-nothing').length, 1);
});

test('a change that is live needs no new generation', async (t) => {
  const { runner, committed, run } = await serve(t);
  const result = await run(releaseWith({ queueRequests: 5 }), { isRequested: false });
  assert.deepEqual(result, { generation: 1, changes: ['queueRequests: 1000 -> 5'] });
  assert.deepEqual(runner.calls, ['configure']);
  assert.equal(runner.settings?.queueRequests, 5);
  assert.deepEqual([committed.length, committed[0]?.release.generation], [1, 1]);
  assert.equal(committed[0]?.release.settings.queueRequests, 5);
});

test('a change that needs new processes makes a generation', async (t) => {
  const { runner, run } = await serve(t);
  const result = await run(releaseWith({ threads: 3 }), { isRequested: false });
  assert.deepEqual(result, { generation: 2, changes: ['threads: "auto" -> 3'] });
  assert.deepEqual(runner.calls, ['prepare 2', 'commit', 'configure', 'drained']);
});

test('a change that needs a restart says so', async (t) => {
  const { run, runner } = await serve(t);
  const result = await run(releaseWith({ fronts: 2 }), { isRequested: false });
  assert.deepEqual(result.changes, ['fronts: "auto" -> 2 (takes effect with: easyserve restart)']);
  assert.deepEqual(runner.calls, ['configure']);
});

test('other processes begin at once, the other mode with a restart', async (t) => {
  const { run } = await serve(t);
  const result = await run(releaseWith({ processes: 2 }), { isRequested: false });
  const mode = 'cluster mode takes effect with: easyserve restart';
  assert.deepEqual(result, { generation: 2, changes: ['processes: 1 -> 2', mode] });
});

test('what cannot be loaded changes nothing', async (t) => {
  const { runner, committed, run } = await serve(t);
  await assert.rejects(run(broken), broken);
  assert.deepEqual([runner.calls, committed], [[], []]);
});

test('what cannot be prepared changes nothing', async (t) => {
  const { runner, committed, run } = await serve(t);
  runner.failAt('prepare', broken);
  await assert.rejects(run(releaseWith()), broken);
  assert.deepEqual([runner.calls, committed], [['prepare 2'], []]);
});

test('one that is broken off is not committed', async (t) => {
  const { runner, committed, run } = await serve(t);
  const stop = new AbortController();
  const release = runner.holdAt('prepare');
  const refused = assert.rejects(run(releaseWith(), { signal: stop.signal }), /stopping/);
  await runner.asked('prepare 2');
  stop.abort(new Error('stopping'));
  release();
  await refused;
  assert.deepEqual([runner.calls, committed], [['prepare 2'], []]);
});

test('another port: bound first, listened on last, and only then the old one is closed', async (t) => {
  const { runner, committed, serving, run } = await serve(t);
  const port = await findFreePort();
  const result = await run(releaseWith({ port }), { isRequested: false });
  assert.deepEqual(result, { generation: 1, changes: [`port: 0 -> ${port}`] });
  assert.deepEqual(runner.calls, ['configure', 'listen']);
  assert.equal(committed.at(-1)?.sockets.get('http')?.port, port);
  assert.equal(serving.sockets.get('http')?.handle.fd, -1);
});

test('another port that is taken refuses the reload before anything is started', async (t) => {
  const { runner, committed, serving, run } = await serve(t);
  await assert.rejects(run(releaseWith({ port: await takePort(t) })), { code: 'port-in-use' });
  assert.deepEqual([runner.calls, committed], [[], []]);
  assert.notEqual(serving.sockets.get('http')?.handle.fd, -1);
});

test('another port and a broken release: the new port is given back', async (t) => {
  const { runner, run } = await serve(t);
  const port = await findFreePort();
  runner.failAt('prepare', broken);
  await assert.rejects(run(releaseWith({ port })), broken);
  const again = await ListeningSocket.bind('127.0.0.1', port);
  again.close();
});

test('another port that cannot be listened on: the new release serves at the old one', async (t) => {
  const { runner, committed, serving, run } = await serve(t);
  runner.failAt('listen', broken);
  await assert.rejects(run(releaseWith({ port: await findFreePort() })), broken);
  assert.equal(runner.sockets[0]?.handle.fd, -1);
  assert.deepEqual([committed.at(-1)?.release.generation, committed.at(-1)?.sockets], [2, serving.sockets]);
});

test('certificates are read before anything is started, and put in force before HTTPS is listened on', async (t) => {
  const { runner, run } = await serve(t);
  const calls = runner.calls;
  const prepared = { name: 'prepared' } as unknown as PreparedCertificates;
  const certificates: ReloadOptions['certificates'] = {
    prepare: async (_settings, moment) => {
      calls.push(`read at a ${moment}`);
      return prepared;
    },
    use: async (given, port) => {
      assert.equal(given, prepared);
      calls.push(`use at ${typeof port}`);
    },
    keep: () => calls.push('keep'),
  };
  await run(releaseWith({ https: true, httpsPort: 0 }), { certificates });
  const before = ['read at a reload', 'prepare 2', 'commit', 'configure', 'use at number', 'listen', 'keep'];
  assert.deepEqual(calls, [...before, 'drained']);
});

test('a certificate that is wrong refuses the reload, and gives the new port back', async (t) => {
  const { runner, committed, run } = await serve(t);
  const httpsPort = await findFreePort();
  const certificates = { ...noCertificates, prepare: () => Promise.reject(broken) };
  await assert.rejects(run(releaseWith({ https: true, httpsPort }), { certificates }), broken);
  assert.deepEqual([runner.calls, committed], [[], []]);
  const again = await ListeningSocket.bind('127.0.0.1', httpsPort);
  again.close();
});

test('HTTPS is switched off: it is listened on no more, and its socket is closed', async (t) => {
  const { runner, committed, serving, run } = await serve(t);
  const secure = await ListeningSocket.bind('127.0.0.1', 0, { scheme: 'https' });
  const sockets = new Map([...serving.sockets, ['https', secure] as const]);
  await run(releaseWith(), { sockets });
  assert.deepEqual(runner.calls, ['prepare 2', 'commit', 'configure', 'unlisten https', 'drained']);
  assert.deepEqual([secure.handle.fd, [...(committed.at(-1)?.sockets.keys() ?? [])]], [-1, ['http']]);
});

test('DEBUG goes off: the default host moves within the port that we hold, which takes a restart', async (t) => {
  const port = await findFreePort();
  const { runner, committed, serving, log, run } = await serve(t, releaseWith({ port }));
  const result = await run(releaseWith({ host: '0.0.0.0', port }));
  assert.equal(result.generation, 2);
  assert.deepEqual(result.changes, [
    'host: "127.0.0.1" -> "0.0.0.0"',
    'the address stays as it is (takes effect with: easyserve restart)',
  ]);
  assert.ok(!runner.calls.includes('listen'));
  assert.equal(committed.at(-1)?.sockets, serving.sockets);
  assert.equal(log.all('address-stays').length, 1);
});
