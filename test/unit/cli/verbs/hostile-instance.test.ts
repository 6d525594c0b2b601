import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { type TestContext, test } from 'node:test';
import { runCommandLine } from '../../../../src/cli/run-command.js';
import { EasyserveError } from '../../../../src/contracts/errors.js';
import type { ControlHandler } from '../../../../src/control/control-connection.js';
import { ControlServer } from '../../../../src/control/control-server.js';
import { stateFolderOf } from '../../../../src/control/state-folder.js';
import { makeTempDir } from '../../../support/copy-fixture.js';
import { makeContext, RecordingOutput } from '../recording-context.js';

/** Clears the screen, sets the title, turns the direction, and begins a line that looks like a prompt. */
const hostile = '\u001b[2J\u001b]0;x\u0007\u009b1A\u202eexe\r\u001b[8m\nroot# ';

/** Of sequences, what easyserve itself writes to a terminal. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: the sequences begin with ESC (ECMA-48 section 8.3.117).
const own = /\u001b\[(?:0|1|2|31|32|33|36)m|\r\u001b\[K/g;
/** What a terminal obeys. */
const commands = /[^\P{Cc}\n\t]|\u202e/u;

function makeStatus(text: string): unknown {
  const app = {
    pid: text,
    state: text,
    generation: text,
    threads: 1,
    inFlight: text,
    requests: 1,
    restarts: 1,
  };
  const certificate = {
    names: [text],
    state: text,
    issuer: text,
    lastError: { sentence: text, hint: text, detail: text },
  };
  return {
    ...{
      state: text,
      mode: 'cluster',
      reason: text,
      version: text,
      pid: text,
      urls: [text],
      generation: text,
    },
    certificates: [certificate],
    startedAt: text,
    lastReloadError: { message: text },
    project: { root: text, kind: text, server: text, application: text, python: text },
    sites: [{ pid: text, connections: text, queued: text, apps: [{ ...app, startedAt: text }] }],
  };
}

const answers: Readonly<Record<string, unknown>> = {
  status: makeStatus(hostile),
  reload: { generation: hostile, changes: [hostile] },
  restart: { generation: hostile, changes: [hostile] },
  scale: { processes: hostile, generation: 1 },
  config: [{ key: hostile, value: hostile, origin: hostile }],
};

const lines = [
  hostile,
  `{"level":"info","time":"2026-01-01T00:00:00Z","event":"x","msg":${JSON.stringify(hostile)},"detail":${JSON.stringify(hostile)}}`,
  `{"level":"info","event":"access","method":${JSON.stringify(hostile)},"path":"/","status":${JSON.stringify(hostile)}}`,
  `{"level":${JSON.stringify(hostile)},"event":"x","msg":"y"}`,
  `{"level":"info","event":"application","app":1,"msg":${JSON.stringify(hostile)}}`,
];

const answering: ControlHandler = async (request, reporter) => {
  reporter.progress(hostile);
  if (request.verb === 'logs') for (const line of lines) reporter.line(line);
  return answers[request.verb] ?? null;
};

const refusing: ControlHandler = async () => {
  throw new EasyserveError('x', 1, hostile, { hint: hostile, detail: hostile });
};

class ColourTerminal extends RecordingOutput {
  override readonly colour = true;
  override readonly isTerminal = true;
}

async function say(
  t: TestContext,
  handler: ControlHandler,
  argv: readonly string[],
): Promise<readonly string[]> {
  const project = makeTempDir(t);
  const server = await ControlServer.listen((await stateFolderOf(project)).controlSocket, handler);
  t.after(() => server.close());
  const said: string[] = [];
  for (const makeOutput of [() => new RecordingOutput(), () => new ColourTerminal()]) {
    const [stdout, stderr] = [makeOutput(), makeOutput()];
    await runCommandLine(argv, { ...makeContext(project), stdout, stderr });
    said.push(stdout.text + stderr.text);
  }
  return said;
}

for (const argv of [
  ['status'],
  ['status', '--json'],
  ['reload'],
  ['restart'],
  ['scale', '2'],
  ['config'],
  ['config', '--json'],
  ['logs'],
]) {
  for (const [name, handler] of [
    ['answers', answering],
    ['refuses', refusing],
  ] as const) {
    test(`easyserve ${argv.join(' ')}: what an instance ${name} is shown, and commands nothing`, async (t) => {
      for (const text of await say(t, handler, argv)) {
        assert.match(text, /exe/);
        assert.doesNotMatch(text.replaceAll(own, ''), commands);
        assert.doesNotMatch(text, /^root# /m);
        if (argv.includes('--json') && name === 'answers') JSON.parse(text);
      }
    });
  }
}

for (const error of [
  { exitCode: 0 },
  { exitCode: 'x', message: {}, hint: 1, detail: [] },
  { exitCode: -1 },
]) {
  test(`a refusal of the shape ${JSON.stringify(error)} ends with an error`, async (t) => {
    const project = makeTempDir(t);
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () => socket.end(`${JSON.stringify({ error })}\n`));
    }).listen((await stateFolderOf(project)).controlSocket);
    await once(server, 'listening');
    t.after(() => server.close());
    assert.equal(await runCommandLine(['status'], makeContext(project)), 1);
  });
}

for (const verb of ['status', 'reload', 'restart', 'config']) {
  for (const result of [
    null,
    7,
    'x',
    [],
    {},
    [null],
    { urls: 1, project: {} },
    { ...Object(makeStatus('x')), sites: [{}] },
  ]) {
    test(`easyserve ${verb}: the answer ${JSON.stringify(result).slice(0, 40)} is shown, or one clear sentence`, async (t) => {
      for (const text of await say(t, async () => result, [verb])) {
        assert.doesNotMatch(text, /unexpected|report|^ {4}at /m);
        if (/^easyserve: /m.test(text))
          assert.match(text, /The instance answered something that this version/);
      }
    });
  }
}
