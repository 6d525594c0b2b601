import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import fs, {
  appendFileSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  watch,
  writeFileSync,
} from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { SettingsWatch, SettingsWatchOptions } from '../../../../src/supervisor/watch/settings-watch.js';
import { watchSettings } from '../../../../src/supervisor/watch/settings-watch.js';
import { makeTempDir } from '../../../support/copy-fixture.js';
import { FakeClock } from '../../../support/fake-clock.js';
import { RecordingLog } from '../../../support/recording-log.js';
import { withDeadline } from '../../../support/with-deadline.js';

const fileNames = ['easyserve.toml', 'easyserve.yaml', 'easyserve.json'];

interface Watching {
  readonly watching: SettingsWatch;
  readonly log: RecordingLog;
  /** What onChange was called with. */
  readonly calls: (readonly string[])[];
  /** Does something, then waits for the call of onChange that it leads to. */
  readonly afterwards: (change: () => void) => Promise<readonly string[]>;
}

async function begin(t: TestContext, options: Partial<SettingsWatchOptions>): Promise<Watching> {
  const log = new RecordingLog();
  const calls: (readonly string[])[] = [];
  const events = new EventEmitter();
  const watching = await watchSettings({
    folder: '/',
    fileNames,
    debounceMs: 20,
    log,
    ...options,
    onChange: async (changed) => {
      calls.push(changed);
      events.emit('change', changed);
      await options.onChange?.(changed);
    },
  });
  t.after(() => watching.close());
  const afterwards = async (change: () => void): Promise<readonly string[]> => {
    const called = once(events, 'change');
    change();
    const [changed] = await withDeadline(
      called,
      10_000,
      () => `no change seen; log: ${JSON.stringify(log.records)}`,
    );
    return changed;
  };
  return { watching, log, calls, afterwards };
}

function makeFolder(t: TestContext, text = 'port = 1\n'): { folder: string; file: string } {
  const folder = makeTempDir(t);
  const file = join(folder, 'easyserve.toml');
  writeFileSync(file, text);
  return { folder, file };
}

/** As editors and deployment tools do it. */
function replaceAtomically(file: string, text: string): void {
  writeFileSync(`${file}.tmp`, text);
  renameSync(`${file}.tmp`, file);
}

async function untilPending(clock: FakeClock): Promise<void> {
  const look = async (): Promise<void> => {
    while (clock.pending === 0) await new Promise((resolve) => setImmediate(resolve));
  };
  await withDeadline(look(), 10_000, () => 'nothing was noticed');
}

/** Resolves when an event of this file has been delivered; events of one process come in order (inotify(7)). */
async function afterEventOf(folder: string, name: string, change: () => void): Promise<void> {
  const watcher = watch(folder);
  const seen = new Promise<void>((resolve) => {
    watcher.on('change', (_event, changed) => {
      if (changed === name) setImmediate(resolve);
    });
  });
  change();
  await withDeadline(seen, 10_000, () => `no event of ${name}`);
  watcher.close();
}

test('a file that is edited in place is seen', async (t) => {
  const { folder, file } = makeFolder(t);
  const { afterwards } = await begin(t, { folder });
  assert.deepEqual(await afterwards(() => appendFileSync(file, 'host = "::1"\n')), [file]);
});

test('a file that is replaced is seen, and so is the next replacement', async (t) => {
  const { folder, file } = makeFolder(t);
  const { afterwards } = await begin(t, { folder });
  for (const port of [2, 3, 4]) {
    assert.deepEqual(await afterwards(() => replaceAtomically(file, `port = ${port}\n`)), [file]);
  }
});

test('a ConfigMap that is turned to its next version is seen, each time', async (t) => {
  const folder = makeTempDir(t);
  const file = join(folder, 'easyserve.toml');
  const publish = (version: number): void => {
    const dated = `..2026_07_0${version}`;
    mkdirSync(join(folder, dated));
    writeFileSync(join(folder, dated, 'easyserve.toml'), `port = ${version}\n`);
    symlinkSync(dated, join(folder, '..data_tmp'));
    renameSync(join(folder, '..data_tmp'), join(folder, '..data'));
    rmSync(join(folder, `..2026_07_0${version - 1}`), { recursive: true, force: true });
  };
  publish(1);
  symlinkSync('..data/easyserve.toml', file);
  const { afterwards } = await begin(t, { folder });
  for (const version of [2, 3, 4]) {
    assert.deepEqual(await afterwards(() => publish(version)), [file]);
    assert.equal(readFileSync(file, 'utf8'), `port = ${version}\n`);
  }
});

test('the target of a link in another folder is watched', async (t) => {
  const folder = makeTempDir(t);
  const { file: target } = makeFolder(t);
  symlinkSync(target, join(folder, 'easyserve.toml'));
  const { afterwards } = await begin(t, { folder });
  assert.deepEqual(await afterwards(() => replaceAtomically(target, 'port = 2\n')), [
    join(folder, 'easyserve.toml'),
  ]);
});

test('a `current` link that is turned to the next release is seen', async (t) => {
  const site = makeTempDir(t);
  for (const release of ['1', '2']) {
    mkdirSync(join(site, release));
    writeFileSync(join(site, release, 'easyserve.toml'), `port = ${release}\n`);
  }
  symlinkSync('1', join(site, 'current'));
  const { afterwards } = await begin(t, { folder: join(site, 'current') });
  const file = join(site, 'current', 'easyserve.toml');
  const turn = (): void => {
    symlinkSync('2', join(site, 'next'));
    renameSync(join(site, 'next'), join(site, 'current'));
  };
  assert.deepEqual(await afterwards(turn), [file]);
  assert.deepEqual(await afterwards(() => writeFileSync(join(site, '2', 'easyserve.toml'), '')), [file]);
});

test('a file that appears, goes and comes back is seen', async (t) => {
  const folder = makeTempDir(t);
  const { afterwards } = await begin(t, { folder });
  const file = join(folder, 'easyserve.yaml');
  assert.deepEqual(await afterwards(() => writeFileSync(file, 'port: 1\n')), [file]);
  assert.deepEqual(await afterwards(() => rmSync(file)), [file]);
  assert.deepEqual(await afterwards(() => writeFileSync(file, 'port: 1\n')), [file]);
});

test('a file with a name of its own is watched alone', async (t) => {
  const { folder, file } = makeFolder(t);
  const own = join(folder, 'production.toml');
  const { afterwards, calls } = await begin(t, { folder, file: 'production.toml' });
  assert.deepEqual(await afterwards(() => writeFileSync(own, 'port = 1\n')), [own]);
  await afterwards(() => {
    writeFileSync(file, 'port = 2\n');
    writeFileSync(own, 'port = 2\n');
  });
  assert.deepEqual(calls, [[own], [own]]);
});

test('a folder that appears later, and one that is replaced, are watched', async (t) => {
  const parent = makeTempDir(t);
  const folder = join(parent, 'etc');
  const file = join(folder, 'easyserve.toml');
  const { afterwards } = await begin(t, { folder });
  const make = (text: string): void => {
    mkdirSync(`${folder}.new`);
    writeFileSync(join(`${folder}.new`, 'easyserve.toml'), text);
    renameSync(`${folder}.new`, folder);
  };
  assert.deepEqual(await afterwards(() => make('port = 1\n')), [file]);
  const replace = (): void => {
    renameSync(folder, `${folder}.old`);
    make('port = 2\n');
  };
  assert.deepEqual(await afterwards(replace), [file]);
  assert.deepEqual(await afterwards(() => writeFileSync(file, 'port = 3\n')), [file]);
});

test('a touch without a change is ignored', async (t) => {
  const { folder, file } = makeFolder(t);
  const clock = new FakeClock();
  const { calls, log } = await begin(t, { folder, clock, debounceMs: 200 });
  utimesSync(file, new Date(), new Date());
  await untilPending(clock);
  clock.advance(200);
  const ignored = async (): Promise<void> => {
    while (log.records.length === 0) await new Promise((resolve) => setImmediate(resolve));
  };
  await withDeadline(ignored(), 10_000, () => 'the touch was not looked at');
  assert.deepEqual(
    log.records.map(({ event }) => event),
    ['settings-untouched'],
  );
  assert.deepEqual(calls, []);
});

test('changes are reported once, after the quiet time', async (t) => {
  const { folder, file } = makeFolder(t);
  const clock = new FakeClock();
  const { calls, afterwards } = await begin(t, { folder, clock, debounceMs: 200 });
  for (const port of [2, 3, 4]) writeFileSync(file, `port = ${port}\n`);
  await untilPending(clock);
  clock.advance(199);
  // Another write within the quiet time begins it anew.
  await afterEventOf(folder, 'easyserve.toml', () => writeFileSync(file, 'port = 5\n'));
  clock.advance(199);
  assert.deepEqual(calls, []);
  await afterwards(() => clock.advance(1));
  assert.equal(calls.length, 1);
});

test('a busy neighbour does not put the report off', async (t) => {
  const { folder, file } = makeFolder(t);
  const clock = new FakeClock();
  const { afterwards } = await begin(t, { folder, clock, debounceMs: 200 });
  await afterEventOf(folder, 'easyserve.toml', () => replaceAtomically(file, 'port = 2\n'));
  clock.advance(150);
  await afterEventOf(folder, 'db.sqlite3-journal', () =>
    writeFileSync(join(folder, 'db.sqlite3-journal'), ''),
  );
  await afterwards(() => clock.advance(50));
});

test('the handler is called for one change at a time', async (t) => {
  const { folder, file } = makeFolder(t);
  const clock = new FakeClock();
  const gate = new EventEmitter();
  let running = 0;
  let most = 0;
  const onChange = async (): Promise<void> => {
    running += 1;
    most = Math.max(most, running);
    await once(gate, 'open');
    running -= 1;
  };
  const { calls, afterwards } = await begin(t, { folder, onChange, clock });
  await afterEventOf(folder, 'easyserve.toml', () => replaceAtomically(file, 'port = 2\n'));
  await afterwards(() => clock.advance(200));
  await afterEventOf(folder, 'easyserve.toml', () => replaceAtomically(file, 'port = 3\n'));
  clock.advance(200);
  assert.equal(clock.pending, 0);
  assert.equal(calls.length, 1);
  await afterwards(() => gate.emit('open'));
  gate.emit('open');
  assert.deepEqual(calls, [[file], [file]]);
  assert.equal(most, 1);
});

test('a handler that fails is logged, and the watch goes on', async (t) => {
  const { folder, file } = makeFolder(t);
  const onChange = (): void => {
    throw new Error('no reload today');
  };
  const { afterwards, log } = await begin(t, { folder, onChange });
  await afterwards(() => writeFileSync(file, 'port = 2\n'));
  await afterwards(() => writeFileSync(file, 'port = 3\n'));
  const [record] = log.records;
  assert.equal(record?.event, 'settings-change-failed');
  assert.match(String(record?.fields.error), /no reload today/);
});

test('after close nothing is reported', async (t) => {
  const { folder, file } = makeFolder(t);
  const clock = new FakeClock();
  const { watching, calls } = await begin(t, { folder, clock });
  writeFileSync(file, 'port = 2\n');
  await untilPending(clock);
  await watching.close();
  assert.equal(clock.pending, 0);
  await afterEventOf(folder, 'easyserve.toml', () => writeFileSync(file, 'port = 3\n'));
  assert.equal(clock.pending, 0);
  assert.deepEqual(calls, []);
});

test('where the system has no watches left, that is said and nothing is thrown', async (t) => {
  const { folder } = makeFolder(t);
  const failing = (): never => {
    throw Object.assign(new Error('EMFILE: too many open files, watch'), { code: 'EMFILE' });
  };
  const mock = t.mock.method(fs, 'watch', failing);
  syncBuiltinESMExports();
  const { log } = await begin(t, { folder });
  mock.mock.restore();
  syncBuiltinESMExports();
  assert.ok(mock.mock.callCount() > 0);
  const [record] = log.records;
  assert.equal(record?.event, 'settings-watch-failed');
  assert.match(String(record?.fields.reason), /EMFILE/);
  assert.match(String(record?.fields.hint), /SIGHUP/);
});

test('a named pipe in the place of the settings file does not hold the watch up', async (t) => {
  const folder = makeTempDir(t);
  execFileSync('mkfifo', [join(folder, 'easyserve.toml')]);
  const { afterwards } = await begin(t, { folder });
  const file = join(folder, 'easyserve.json');
  assert.deepEqual(await afterwards(() => writeFileSync(file, '{}')), [file]);
});
