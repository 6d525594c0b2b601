import type { DjangoSubject, Subject } from '../../src/check/check.js';
import type { Machine } from '../../src/check/machine.js';
import { runChecks } from '../../src/check/run-checks.js';
import type { DjangoFacts, Project } from '../../src/contracts/project-facts.js';
import type { ProcessPlan } from '../../src/project/process-plan.js';
import type { Settings } from '../../src/settings/settings.js';
import { defaultSettings } from './default-settings.js';
import { djangoProject, makeRelease } from './make-release.js';

export interface SubjectShape {
  readonly settings?: Partial<Settings>;
  readonly project?: Project;
  readonly plan?: Partial<ProcessPlan>;
  readonly machine?: Partial<Machine>;
}

/** A machine in order, in the middle of the life of all that it runs. */
export const soundMachine: Machine = {
  nowMs: Date.UTC(2026, 5, 1),
  nodeVersion: 'v24.4.1',
  user: 'shop',
  asRoot: 'sudo ',
  uid: 1000,
  readFile: async () => undefined,
  listFolder: async () => [],
  readDisk: async () => ({ freeBytes: 50e9, totalBytes: 100e9, freeFiles: 1e6 }),
  isClockKept: async () => true,
};

/** Facts of a Django project that is in order. */
export const soundDjango: Partial<DjangoFacts> = {
  version: '5.2',
  isDebug: false,
  allowedHosts: ['example.org'],
  logsErrors: true,
  redirectsToHttps: false,
  secureProxyHeaders: {},
};

export function djangoSubject(facts: Partial<DjangoFacts> = {}, shape: SubjectShape = {}): DjangoSubject {
  return makeSubject({
    ...shape,
    project: djangoProject({ ...soundDjango, ...facts }),
  }) as DjangoSubject;
}

export function makeSubject(shape: SubjectShape = {}): Subject {
  const { project, plan } = makeRelease(shape);
  const machine = { ...soundMachine, ...shape.machine };
  return { settings: defaultSettings(shape.settings), project, plan, machine };
}

/** `debug-on warning`, for each finding. */
export async function namesFound(subject: Subject): Promise<readonly string[]> {
  return (await runChecks(subject)).map(({ name, severity }) => `${name} ${severity}`);
}
