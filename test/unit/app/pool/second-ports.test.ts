import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SecondPorts } from '../../../../src/app/pool/second-ports.js';
import type { UpstreamAddress } from '../../../../src/contracts/upstream.js';
import { FakeClock } from '../../../support/fake-clock.js';
import { makeRelease, type ReleaseShape } from '../../../support/make-release.js';
import { makePoolWorld } from '../../../support/pool-world.js';
import { RecordingLog } from '../../../support/recording-log.js';

async function told(shape: ReleaseShape, ports: readonly number[], times = 1): Promise<unknown[]> {
  const [clock, log] = [new FakeClock(), new RecordingLog()];
  const second = new SecondPorts({ clock, log, readPorts: async () => ports });
  const address: UpstreamAddress = { protocol: 'http', place: { host: '127.0.0.1', port: 9000 } };
  for (let time = 0; time < times; time++) {
    second.watch({ pid: 7, isRunning: true, ended: new Promise(() => {}), address }, makeRelease(shape));
    await clock.advanceAsync(2000);
  }
  return log.all('second-port').map(({ fields }) => [fields.port, fields.hint]);
}

const command = {
  project: { kind: 'command', server: 'command', root: '/p', application: './site', warnings: [] },
} as const;

const node = {
  kind: 'node',
  server: 'node',
  root: '/p',
  application: '/p/a.js',
  warnings: [],
  node: { nodeArgs: [], args: [], env: {} },
} as const;

test('a port beside the site is told once, before the first reload, with what to do', async () => {
  assert.deepEqual(await told({}, [7000, 9000, 9464], 2), [
    [7000, 'easyserve start --set appPorts=9464,7000'],
  ]);
  assert.deepEqual(await told({ settings: { appPorts: [7000, 9464] } }, [7000, 9464]), []);
  // Nobody shares a port for a command.
  assert.deepEqual(await told(command, [9000, 9464]), [
    [
      9464,
      'let the program listen there with SO_REUSEPORT, or on a port of its own (0); else deploy by: easyserve stop && easyserve start',
    ],
  ]);
});

test('Node.js waits for its ports by itself', async () => {
  assert.deepEqual(await told({ project: node }, [9464]), []);
});

test('the pool looks when a process is ready, and not at one that has ended', async (t) => {
  const world = await makePoolWorld(t);
  world.ports = [7000];
  await world.serve();
  assert.deepEqual(world.log.all('second-port'), []);
  await world.clock.advanceAsync(2000);
  assert.equal(world.log.all('second-port').length, 1);
});
