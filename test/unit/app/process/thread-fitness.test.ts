import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ThreadFitness } from '../../../../src/app/process/thread-fitness.js';
import { RecordingLog } from '../../../support/recording-log.js';

function makeFitness() {
  const log = new RecordingLog();
  const folder = { path: '/start', missing: '/gone' };
  const fitness = new ThreadFitness(
    {
      current: () => folder.path,
      enter: (path) => {
        if (path === folder.missing) throw new Error('ENOENT');
        folder.path = path;
      },
    },
    log,
  );
  const allows = (cwd: string, file = `${cwd}/app.js`): boolean => fitness.allows({ cwd }, { file });
  return { fitness, log, folder, allows };
}

test('the process enters the folder of the thread', () => {
  const { allows, folder, log } = makeFitness();
  assert.ok(allows('/site'));
  assert.equal(folder.path, '/site');
  assert.equal(log.records.length, 0);
});

test('not while a thread runs in another one', async () => {
  const { fitness, allows, folder, log } = makeFitness();
  let end = (): void => {};
  fitness.hold('/site', new Promise<void>((resolve) => (end = resolve)));
  assert.ok(allows('/site'));
  assert.ok(!allows('/release-2'));
  assert.equal(folder.path, '/site');
  assert.match(log.all('node-process')[0]?.message ?? '', /still runs in \/site/);
  end();
  await new Promise((resolve) => setImmediate(resolve));
  assert.ok(allows('/release-2'));
});

test('a folder that is gone', () => {
  const { allows, log } = makeFitness();
  assert.ok(!allows('/gone'));
  assert.match(log.all('node-process')[0]?.message ?? '', /can't be entered: ENOENT/);
});

test('an application that was refused is not tried again, and it is said once', () => {
  const { fitness, allows, log } = makeFitness();
  assert.ok(allows('/site', '/site/a.js'));
  fitness.refuse({ file: '/site/a.js' }, 'it calls process.chdir()');
  assert.ok(!allows('/site', '/site/a.js'));
  assert.ok(allows('/site', '/site/b.js'));
  assert.deepEqual(
    log.all('node-process').map(({ fields }) => fields.reason),
    ['it calls process.chdir()'],
  );
});
