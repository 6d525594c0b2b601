import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import type { TestContext } from 'node:test';
import type { Release } from '../../src/app/pool/release.js';
import type { Settings } from '../../src/settings/settings.js';
import { ListeningSocket } from '../../src/sockets/listening-socket.js';
import { Instance, type InstanceOptions } from '../../src/supervisor/instance.js';
import { FakeRunner } from './fake-runner.js';
import { djangoProject, makeRelease } from './make-release.js';
import { RecordingLog } from './recording-log.js';

export const onStep = (): void => {};

/** HTTPS is off. */
export const noCertificates: InstanceOptions['certificates'] = {
  prepare: async () => undefined,
  use: async () => {},
  keep: () => {},
  status: () => [],
  stop: async () => {},
};

/** What a folder with these settings loads as; on a free port, unless one is said. */
export function releaseWith(settings: Partial<Settings> = {}, isDebug = false): Release {
  const { processes = 1 } = settings;
  const count = processes === 'auto' ? 8 : processes;
  return makeRelease({
    settings: { host: '127.0.0.1', port: 0, ...settings },
    project: djangoProject({ isDebug, allowedHosts: [] }),
    plan: { mode: count > 1 ? 'cluster' : 'single', processes: count, threads: 10, reason: 'as it is set' },
  });
}

/** An instance whose runners are fake; its sockets are real. */
export class InstanceWorld {
  readonly log = new RecordingLog();
  readonly runners: FakeRunner[] = [];
  readonly fatal: unknown[] = [];
  readonly logLevels: string[] = [];
  /** What the next load answers, but for the number. */
  load: (signal: AbortSignal) => Promise<Release> = async () => releaseWith();
  /** Done to the next runner before it starts. */
  prepareRunner: (runner: FakeRunner) => void = () => {};
  readonly instance = new Instance({
    log: this.log,
    load: async ({ signal, generation }) => ({ ...(await this.load(signal)), generation }),
    createRunner: async () => {
      const runner = new FakeRunner();
      this.prepareRunner(runner);
      this.runners.push(runner);
      return runner;
    },
    certificates: noCertificates,
    onSettings: ({ logLevel }) => this.logLevels.push(logLevel),
    onFatal: (error) => this.fatal.push(error),
    version: '1.2.3',
    pid: 42,
  });

  /** The one that serves. */
  get runner(): FakeRunner {
    const runner = this.runners.at(-1);
    assert.ok(runner);
    return runner;
  }

  settingsBecome(settings: Partial<Settings>, isDebug = false): void {
    this.load = async () => releaseWith(settings, isDebug);
  }
}

/** Runs until the test ends. */
export async function startInstance(
  t: TestContext,
  settings: Partial<Settings> = {},
): Promise<InstanceWorld> {
  const world = new InstanceWorld();
  t.after(() => world.instance.stop(onStep));
  world.settingsBecome(settings);
  await world.instance.start(onStep);
  world.runner.calls.length = 0;
  return world;
}

/** A port that nobody has now. */
export async function findFreePort(): Promise<number> {
  const socket = await ListeningSocket.bind('127.0.0.1', 0);
  socket.close();
  return socket.port;
}

/** A port that somebody else listens on until the test ends. */
export async function takePort(t: TestContext, host = '127.0.0.1'): Promise<number> {
  const server = createServer().listen(0, host);
  await new Promise((resolve) => server.once('listening', resolve));
  t.after(() => server.close());
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  return address.port;
}
