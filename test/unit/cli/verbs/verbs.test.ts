import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { existsSync, mkdirSync, renameSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { runCommandLine } from '../../../../src/cli/run-command.js';
import { ExitCode, StartError } from '../../../../src/contracts/errors.js';
import type { InstanceStatus } from '../../../../src/contracts/status.js';
import type { ControlHandler } from '../../../../src/control/control-connection.js';
import { ControlServer } from '../../../../src/control/control-server.js';
import type { ConfigEntry, ControlRequest } from '../../../../src/control/protocol.js';
import { stateFolderOf } from '../../../../src/control/state-folder.js';
import { makeTempDir } from '../../../support/copy-fixture.js';
import { withDeadline } from '../../../support/with-deadline.js';
import { makeContext, type RecordingContext, RecordingOutput } from '../recording-context.js';

interface Ran {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function run(context: RecordingContext, ...argv: string[]): Promise<Ran> {
  const exitCode = await runCommandLine(argv, context);
  return { exitCode, stdout: context.stdout.text, stderr: context.stderr.text };
}

/** A project whose instance answers as `handler` says. */
async function makeInstance(t: TestContext, handler: ControlHandler): Promise<string> {
  const project = makeTempDir(t);
  const server = await ControlServer.listen((await stateFolderOf(project)).controlSocket, handler);
  t.after(() => server.close());
  return project;
}

const status: InstanceStatus = {
  state: 'running',
  mode: 'cluster',
  reason: '2 processes: processes is set to 2',
  version: '1.2.3',
  pid: 100,
  urls: ['http://127.0.0.1:8000'],
  generation: 3,
  certificates: [],
  startedAt: '2026-01-01T00:00:00.000Z',
  project: {
    root: '/srv/site',
    kind: 'django',
    server: 'gateway',
    application: 'site.wsgi:application',
    python: '/srv/.venv/bin/python',
  },
  sites: [],
};

for (const verb of ['stop', 'reload', 'restart', 'status', 'scale 2', 'logs']) {
  test(`easyserve ${verb} without an instance says how to start one`, async (t) => {
    const project = makeTempDir(t);
    const ran = await run(makeContext(project), ...verb.split(' '));
    assert.equal(ran.exitCode, ExitCode.notRunning);
    assert.equal(ran.stdout, '');
    assert.equal(
      ran.stderr,
      `easyserve: No instance is running for ${project}.\n  fix: \`easyserve start\`\n`,
    );
  });
}

test('easyserve reload prints what is done, what changed, and the generation', async (t) => {
  const project = await makeInstance(t, async (request, { progress }) => {
    assert.deepEqual(request, { verb: 'reload' });
    progress('starting the new application');
    return { generation: 4, changes: ['threads: 4 instead of 2'] };
  });
  const ran = await run(makeContext('/'), 'reload', project);
  assert.deepEqual(ran, {
    exitCode: ExitCode.ok,
    stdout: 'Reloaded: generation 4 serves.\n  threads: 4 instead of 2\n',
    stderr: 'starting the new application\n',
  });
});

test('on a terminal the progress leaves no trace on stdout', async (t) => {
  const project = await makeInstance(t, async (_request, { progress }) => {
    progress('starting the new application');
    return { generation: 4, changes: [] };
  });
  const context = { ...makeContext(project), stderr: new RecordingOutput(true) };
  const ran = await run(context, 'reload');
  assert.equal(ran.stdout, 'Reloaded: generation 4 serves.\n');
  assert.equal(ran.stderr.includes('\n'), false);
});

test('a reload of a folder that is not there claims of no release that it serves', async (t) => {
  const ran = await run(makeContext(makeTempDir(t)), 'reload', 'gone');
  assert.notEqual(ran.exitCode, ExitCode.reloadFailed);
  assert.match(ran.stderr, /^easyserve: The folder \/.*\/gone does not exist\.$/m);
});

test('a refused reload shows the traceback and has an exit code of its own', async (t) => {
  const project = await makeInstance(t, () => {
    throw new StartError('app-exited', 'The application exited.', {
      detail: 'Traceback:\n  File "a.py"\n\nSyntaxError',
      hint: 'mend a.py',
    });
  });
  const ran = await run(makeContext(project), 'reload');
  assert.equal(ran.exitCode, ExitCode.reloadFailed);
  assert.equal(
    ran.stderr,
    'easyserve: The reload was refused, the old release still serves: The application exited.\n' +
      '  Traceback:\n    File "a.py"\n\n  SyntaxError\n  fix: mend a.py\n',
  );
});

test('other refusals keep their exit code', async (t) => {
  const project = await makeInstance(t, () => {
    throw new StartError('app-exited', 'The application exited.');
  });
  assert.equal((await run(makeContext(project), 'restart')).exitCode, ExitCode.startFailed);
  assert.equal((await run(makeContext(project), 'scale', '2')).exitCode, ExitCode.startFailed);
});

test('easyserve scale asks for the number', async (t) => {
  const requests: ControlRequest[] = [];
  const project = await makeInstance(t, async (request) => {
    requests.push(request);
    return { processes: 3, generation: 1 };
  });
  const ran = await run(makeContext(project), 'scale', '3');
  assert.deepEqual(requests, [{ verb: 'scale', processes: 3 }]);
  assert.equal(ran.stdout, '3 application processes serve.\n');
});

test('easyserve status --json prints what the instance says', async (t) => {
  const project = await makeInstance(t, async () => status);
  const ran = await run(makeContext(project), 'status', '--json');
  assert.deepEqual(JSON.parse(ran.stdout), status);
  assert.equal(ran.exitCode, ExitCode.ok);
});

test('an instance is found from within a link that was turned since it started', async (t) => {
  const site = makeTempDir(t);
  for (const release of ['1', '2']) mkdirSync(join(site, release));
  symlinkSync('1', join(site, 'current'));
  const { controlSocket } = await stateFolderOf(join(site, 'current'));
  const server = await ControlServer.listen(controlSocket, async () => status);
  t.after(() => server.close());
  symlinkSync('2', join(site, 'next'));
  renameSync(join(site, 'next'), join(site, 'current'));
  // The system says site/2, the shell says site/current.
  const context = makeContext(join(site, '2'), { env: { PWD: join(site, 'current') } });
  assert.equal((await run(context, 'status')).exitCode, ExitCode.ok);
});

test('easyserve stop returns when the socket has gone', async (t) => {
  const project = makeTempDir(t);
  const { controlSocket } = await stateFolderOf(project);
  const seen: string[] = [];
  const server: ControlServer = await ControlServer.listen(controlSocket, async (request, { progress }) => {
    seen.push(request.verb);
    progress('finishing 2 requests');
    void server.close();
    // Hung up on instead of answered.
    return new Promise(() => undefined);
  });
  const ran = await run(makeContext(project), 'stop');
  assert.deepEqual(seen, ['stop']);
  assert.equal(existsSync(controlSocket), false);
  assert.deepEqual(ran, { exitCode: ExitCode.ok, stdout: 'Stopped.\n', stderr: 'finishing 2 requests\n' });
});

test('easyserve logs prints the lines', async (t) => {
  const project = await makeInstance(t, async (request, { line }) => {
    assert.deepEqual(request, { verb: 'logs', follow: false, lines: 2 });
    line('one');
    line('two');
  });
  const ran = await run(makeContext(project), 'logs', '-n', '2');
  assert.deepEqual(ran, { exitCode: ExitCode.ok, stdout: 'one\ntwo\n', stderr: '' });
});

for (const end of ['Ctrl-C', 'a closed pipe']) {
  test(`easyserve logs -f ends quietly at ${end}`, async (t) => {
    const events = new EventEmitter();
    const project = await makeInstance(t, (_request, { line, signal }) => {
      line('one');
      signal.addEventListener('abort', () => events.emit('left'));
      events.emit('following');
      return new Promise(() => undefined);
    });
    const pipe = new AbortController();
    const context = makeContext(project, { outputClosed: pipe.signal });
    const following = once(events, 'following');
    const left = once(events, 'left');
    const running = run(context, 'logs', '-f');
    await withDeadline(following, 5000, () => 'the instance was not asked');
    if (end === 'Ctrl-C') context.signals.emit('SIGINT');
    else pipe.abort();
    assert.deepEqual({ ...(await running), stdout: '' }, { exitCode: ExitCode.ok, stdout: '', stderr: '' });
    await withDeadline(left, 5000, () => 'the instance did not learn of it');
    assert.equal(context.signals.listenerCount('SIGINT'), 0);
  });
}

test('easyserve config shows the settings of the running instance, aligned', async (t) => {
  const entries: ConfigEntry[] = [
    { key: 'port', value: 8000, origin: '--port' },
    { key: 'drainTimeoutMs', value: 30000, origin: 'default' },
  ];
  const project = await makeInstance(t, async () => entries);
  const ran = await run(makeContext(project), 'config');
  assert.equal(
    ran.stdout,
    'Settings of the running instance:\n\n' +
      'SETTING         VALUE  FROM\n' +
      'port             8000  --port\n' +
      'drainTimeoutMs  30000  default\n',
  );
  assert.deepEqual(JSON.parse((await run(makeContext(project), 'config', '--json')).stdout), entries);
});

test('what nobody foresaw is printed with its stack and a request to report it', async (t) => {
  const project = await makeInstance(t, async () => ({ state: 'running' }));
  const ran = await run({ ...makeContext(project), signals: null as never }, 'logs');
  assert.equal(ran.exitCode, ExitCode.unexpected);
  assert.match(
    ran.stderr,
    /^easyserve: .*\n {2}TypeError: [\s\S]*\n {6,}at [\s\S]*\n {2}fix: please report this/,
  );
});
