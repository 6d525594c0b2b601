import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StartError } from '../../../src/contracts/errors.js';
import { ListeningSocket } from '../../../src/sockets/listening-socket.js';
import {
  findFreePort,
  InstanceWorld,
  onStep,
  releaseWith,
  startInstance,
  takePort,
} from '../../support/instance-world.js';

const broken = new StartError('app-exited', 'The application exited.', { detail: 'Traceback' });

test('start: binds, then runs the first generation', async (t) => {
  const { instance, runner, log, logLevels } = await startInstance(t, { logLevel: 'debug' });
  assert.deepEqual(
    runner.releases.map(({ generation }) => generation),
    [1],
  );
  const status = await instance.status();
  assert.deepEqual(
    [status.state, status.mode, status.pid, status.generation, status.version, status.reason],
    ['running', 'single', 42, 1, '1.2.3', 'as it is set'],
  );
  assert.deepEqual(status.urls, [runner.sockets[0]?.url]);
  assert.deepEqual(logLevels, ['debug']);
  assert.deepEqual(
    log.all('state').map(({ fields }) => fields.to),
    ['running'],
  );
});

test('start: a port that is taken starts nothing', async (t) => {
  const world = new InstanceWorld();
  world.settingsBecome({ port: await takePort(t) });
  await assert.rejects(world.instance.start(onStep), { code: 'port-in-use' });
  assert.equal(world.runners.length, 0);
});

test('start: an application that does not start gives the port back', async () => {
  const port = await findFreePort();
  const world = new InstanceWorld();
  world.settingsBecome({ port });
  world.prepareRunner = (runner) => runner.failAt('start', broken);
  await assert.rejects(world.instance.start(onStep), broken);
  const again = await ListeningSocket.bind('127.0.0.1', port);
  again.close();
});

test('start: what cannot be loaded is thrown as it is', async () => {
  const world = new InstanceWorld();
  world.load = () => Promise.reject(broken);
  await assert.rejects(world.instance.start(onStep), broken);
});

test('several reloads at once: one under way, and one more for all the others', async (t) => {
  const { instance, runner } = await startInstance(t);
  const release = runner.holdAt('prepare');
  const first = instance.reload('request', onStep);
  await runner.asked('prepare 2');
  const others = [1, 2, 3].map(() => instance.reload('request', onStep));
  release();
  assert.equal((await first).generation, 2);
  assert.deepEqual(
    (await Promise.all(others)).map(({ generation }) => generation),
    [3, 3, 3],
  );
  assert.equal(runner.calls.filter((call) => call === 'commit').length, 2);
});

test('a reload that is asked for is not swallowed by one that a touched file began', async (t) => {
  const { instance, runner } = await startInstance(t);
  const release = runner.holdAt('prepare');
  const first = instance.reload('request', onStep);
  await runner.asked('prepare 2');
  const touched = instance.reload('settings-file', onStep);
  const asked = instance.reload('request', onStep);
  release();
  await Promise.all([first, touched]);
  assert.equal((await asked).generation, 3);
});

test('a reload that is refused is told in the status until one succeeds', async (t) => {
  const { instance, runner, log } = await startInstance(t);
  runner.failAt('prepare', broken);
  await assert.rejects(instance.reload('request', onStep), broken);
  assert.equal((await instance.status()).lastReloadError?.detail, 'Traceback');
  assert.equal(log.all('reload-failed').length, 1);
  assert.equal(instance.state, 'running');
  runner.heal();
  await instance.reload('request', onStep);
  assert.equal((await instance.status()).lastReloadError, undefined);
});

test('the state while it reloads', async (t) => {
  const { instance, runner } = await startInstance(t);
  const release = runner.holdAt('drained');
  const reloading = instance.reload('request', onStep);
  await runner.asked('drained');
  assert.equal(instance.state, 'reloading');
  release();
  await reloading;
  assert.equal(instance.state, 'running');
});

test('scale holds over reloads, until the setting itself changes', async (t) => {
  const world = await startInstance(t, { processes: 2 });
  const { instance, runner } = world;
  assert.deepEqual(await instance.scale(5, onStep), { processes: 5, generation: 1 });
  assert.match((await instance.status()).reason, /^scaled to 5 processes$/);
  await instance.reload('request', onStep);
  assert.equal(runner.releases.at(-1)?.plan.processes, 5);
  world.settingsBecome({ processes: 3 });
  await instance.reload('request', onStep);
  assert.equal(runner.releases.at(-1)?.plan.processes, 3);
  assert.equal((await instance.status()).reason, 'as it is set');
});

test('a reload that fails does not forget the scale', async (t) => {
  const world = await startInstance(t, { processes: 2 });
  await world.instance.scale(5, onStep);
  world.settingsBecome({ processes: 3 });
  world.runner.failAt('prepare', broken);
  await assert.rejects(world.instance.reload('request', onStep), broken);
  world.runner.heal();
  world.settingsBecome({ processes: 2 });
  await world.instance.reload('request', onStep);
  assert.equal(world.runner.releases.at(-1)?.plan.processes, 5);
});

test('a scale that fails changes nothing', async (t) => {
  const { instance, runner } = await startInstance(t, { processes: 2 });
  runner.failAt('scale', broken);
  await assert.rejects(instance.scale(5, onStep), broken);
  await instance.reload('request', onStep);
  assert.equal(runner.releases.at(-1)?.plan.processes, 2);
});

test('restart: tried beside the old one first, then everything is new, and clients wait', async (t) => {
  const world = await startInstance(t);
  const { instance, runner: old } = world;
  const before = (await instance.status()).urls;
  await instance.scale(4, onStep);
  const result = await instance.restart(onStep);
  assert.deepEqual(old.calls, ['scale 4', 'prepare 2', 'discard', 'stop']);
  assert.equal(old.releases.at(-1)?.plan.processes, 1, 'one process is enough to try it');
  assert.deepEqual(world.runner.calls, ['start 2', 'listen']);
  assert.equal(world.runner.releases[0]?.plan.processes, 1, 'the scale ends with the restart');
  assert.equal(result.generation, 2);
  assert.deepEqual((await instance.status()).urls, before);
  assert.notEqual(world.runner.sockets[0]?.handle, old.sockets[0]?.handle);
  assert.notEqual(world.runner.sockets[0]?.handle.fd, -1);
});

for (const step of ['load', 'prepare'] as const) {
  test(`restart: a ${step} that fails leaves the old one serving`, async (t) => {
    const world = await startInstance(t);
    if (step === 'load') world.load = () => Promise.reject(broken);
    else world.runner.failAt('prepare', broken);
    const { code, exitCode } = broken;
    const message = /^The restart was refused, the old release still serves: The application exited\.$/;
    await assert.rejects(world.instance.restart(onStep), { code, exitCode, message });
    assert.equal(world.runners.length, 1);
    assert.ok(!world.runner.calls.includes('stop'));
    assert.equal(world.instance.state, 'running');
    assert.deepEqual(world.fatal, []);
  });
}

test('restart: a start that fails in the end is fatal, for nothing serves any more', async (t) => {
  const world = await startInstance(t);
  world.prepareRunner = (runner) => runner.failAt('start', broken);
  await assert.rejects(world.instance.restart(onStep), broken);
  assert.deepEqual(world.fatal, [broken]);
});

test('restart moves within a port that the old one holds', async (t) => {
  const world = await startInstance(t);
  const port = Number(new URL((await world.instance.status()).urls[0] ?? '').port);
  world.settingsBecome({ host: '0.0.0.0', port });
  await world.instance.restart(onStep);
  assert.equal(world.runner.sockets[0]?.host, '0.0.0.0');
  assert.equal(world.runner.sockets[0]?.port, port);
});

test('operations run one after the other', async (t) => {
  const { instance, runner } = await startInstance(t);
  const release = runner.holdAt('prepare');
  const reloading = instance.reload('request', onStep);
  const scaling = instance.scale(2, onStep);
  await runner.asked('prepare 2');
  assert.ok(!runner.calls.includes('scale 2'));
  release();
  await Promise.all([reloading, scaling]);
  assert.deepEqual(runner.calls.slice(-2), ['drained', 'scale 2']);
});

test('stop during a reload: it is broken off, not committed', async (t) => {
  const { instance, runner, log } = await startInstance(t);
  const release = runner.holdAt('prepare');
  const refused = assert.rejects(instance.reload('request', onStep), { code: 'instance-stopping' });
  await runner.asked('prepare 2');
  const stopped = instance.stop(onStep);
  release();
  await refused;
  await stopped;
  assert.ok(!runner.calls.includes('commit'));
  assert.equal(instance.state, 'stopped');
  assert.equal(log.all('reload-failed').length, 0);
});

test('stop while it loads: the load is told, and nothing starts', async () => {
  const world = new InstanceWorld();
  world.load = (signal) =>
    new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
  const refused = assert.rejects(world.instance.start(onStep), { code: 'instance-stopping' });
  await world.instance.stop(onStep);
  await refused;
  assert.deepEqual([world.runners.length, world.instance.state], [0, 'stopped']);
});

test('stop during a start: what was started is stopped, and the start fails', async () => {
  const world = new InstanceWorld();
  let release = (): void => {};
  world.prepareRunner = (runner) => {
    release = runner.holdAt('start');
  };
  const started = world.instance.start(onStep);
  const refused = assert.rejects(started, { code: 'instance-stopping' });
  await new Promise((resolve) => setImmediate(resolve));
  await world.runner.asked('start 1');
  const stopped = world.instance.stop(onStep);
  release();
  await Promise.all([refused, stopped]);
  assert.deepEqual(world.runner.calls, ['start 1', 'stop']);
  assert.equal(world.instance.state, 'stopped');
});

test('stop during a restart: no new runner is left', async (t) => {
  const world = await startInstance(t);
  const release = world.runner.holdAt('stop');
  const refused = assert.rejects(world.instance.restart(onStep), { code: 'instance-stopping' });
  await world.runner.asked('stop');
  const stopped = world.instance.stop(onStep);
  release();
  await Promise.all([refused, stopped]);
  assert.equal(world.runners.length, 1);
  assert.deepEqual(world.fatal, []);
});

test('nothing is begun once it stops; a second stop is none', async (t) => {
  const { instance, runner } = await startInstance(t);
  await instance.stop(onStep);
  for (const act of [
    () => instance.reload('request', onStep),
    () => instance.restart(onStep),
    () => instance.scale(2, onStep),
  ]) {
    await assert.rejects(act(), { code: 'instance-busy' });
  }
  await instance.stop(onStep);
  assert.deepEqual(runner.calls, ['stop']);
});

test('kill ends the runner at once', async (t) => {
  const { instance, runner } = await startInstance(t);
  await instance.kill();
  assert.deepEqual(runner.calls, ['kill']);
});

test('a folder of files has nothing to scale, and forgets an earlier scale', async (t) => {
  const world = await startInstance(t, { processes: 2 });
  const { instance, runner } = world;
  await instance.scale(5, onStep);
  world.load = async () => {
    const loaded = releaseWith({ processes: 2 });
    return {
      ...loaded,
      project: { ...loaded.project, kind: 'folder', server: 'none' },
      plan: { ...loaded.plan, processes: 0 },
    };
  };
  await instance.reload('request', onStep);
  assert.equal(runner.releases.at(-1)?.plan.processes, 0);
  await assert.rejects(instance.scale(3, onStep), { code: 'nothing-to-scale' });
  assert.equal(instance.state, 'running');
});
