import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { FixtureName } from './copy-fixture.js';
import type { Easyserve } from './easyserve.js';
import { integrationTimeoutMs, type Mode } from './for-each-mode.js';
import { repositoryRoot } from './repository.js';
import { type StartOptions, startEasyserve } from './start-easyserve.js';

export interface ServerCase {
  readonly name: string;
  readonly fixture: FixtureName;
  readonly settings: Readonly<Record<string, unknown>>;
  /** `Project.server` that must come out of it. */
  readonly server: string;
}

/** Every kind of application server with a real application, all of which have the same views. */
export const serverCases: readonly ServerCase[] = [
  { name: 'gateway', fixture: 'wsgi-hello', settings: {}, server: 'gateway' },
  { name: 'cheroot', fixture: 'wsgi-hello', settings: { server: 'cheroot' }, server: 'cheroot' },
  { name: 'uvicorn', fixture: 'asgi-hello', settings: { server: 'uvicorn' }, server: 'uvicorn' },
  { name: 'hypercorn', fixture: 'asgi-hello', settings: { server: 'hypercorn' }, server: 'hypercorn' },
  { name: 'express', fixture: 'node-hello', settings: { app: 'express.cjs' }, server: 'node' },
  { name: 'fastify', fixture: 'node-hello', settings: { app: 'fastify.mjs' }, server: 'node' },
  { name: 'command', fixture: 'node-hello', settings: { command: 'node command.cjs' }, server: 'command' },
];

const modes = ['single', 'cluster'] as const;

type TestIn = (name: string, body: (t: TestContext) => Promise<void>) => void;
type Register = (serverCase: ServerCase, mode: Mode, testIn: TestIn) => void;

/** Registers the same tests for each of the servers, in both modes. */
export function forEachServer(cases: readonly ServerCase[], register: Register): void {
  for (const serverCase of cases) {
    for (const mode of modes) register(serverCase, mode, testsOf(serverCase, mode));
  }
}

/** As forEachServer, but in one mode each, by turns: for what the mode has no part in. */
export function forEachServerByTurns(cases: readonly ServerCase[], register: Register): void {
  for (const [index, serverCase] of cases.entries()) {
    const mode = modes[index % 2] ?? modes[0];
    register(serverCase, mode, testsOf(serverCase, mode));
  }
}

export function startServer(
  t: TestContext,
  serverCase: ServerCase,
  mode: Mode,
  changed: Readonly<Record<string, unknown>> = {},
): Promise<Easyserve> {
  return startEasyserve(t, startOptions(serverCase, mode, changed));
}

export function startOptions(
  { fixture, settings }: ServerCase,
  mode: Mode,
  changed: Readonly<Record<string, unknown>> = {},
): StartOptions {
  return {
    fixture,
    mode,
    settings: { ...settings, ...changed },
    prepare: (dir) => {
      if (fixture === 'node-hello')
        symlinkSync(join(repositoryRoot, 'node_modules'), join(dir, 'node_modules'));
    },
  };
}

// Private

function testsOf({ name: server }: ServerCase, mode: Mode): TestIn {
  return (name, body) => void test(`${server}, ${mode}: ${name}`, { timeout: integrationTimeoutMs }, body);
}
