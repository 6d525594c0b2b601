import type { Release } from '../../src/app/pool/release.js';
import type {
  CallableProject,
  DjangoFacts,
  DjangoProject,
  Project,
} from '../../src/contracts/project-facts.js';
import type { Settings } from '../../src/settings/settings.js';
import { defaultSettings } from './default-settings.js';

export const project: CallableProject = {
  kind: 'wsgi',
  server: 'gateway',
  root: '/project',
  python: { path: '/python', source: '.venv', version: '3.11.7', isGilEnabled: true },
  application: 'wsgi:application',
  applicationRssBytes: undefined,
  warnings: [],
};

/** The same as a Django project; of its facts only what a test says. */
export function djangoProject(
  facts: Partial<DjangoFacts> = {},
  settingsModule = 'site.settings',
): DjangoProject {
  return { ...project, kind: 'django', settingsModule, django: facts as DjangoFacts };
}

export interface ReleaseShape {
  readonly generation?: number;
  readonly settings?: Partial<Settings>;
  readonly project?: Project;
  readonly plan?: Partial<Release['plan']>;
}

/** A WSGI project with the default settings, in single mode, unless it is said otherwise. */
export function makeRelease(shape: ReleaseShape = {}): Release {
  const plan = {
    mode: 'single',
    processes: 1,
    fronts: 1,
    threads: 1,
    memoryBytes: 1024 ** 3,
    reason: '',
    advice: undefined,
  } as const;
  return {
    generation: shape.generation ?? 1,
    settings: defaultSettings(shape.settings),
    origins: {} as Release['origins'],
    file: undefined,
    project: shape.project ?? project,
    plan: { ...plan, ...shape.plan },
  };
}
