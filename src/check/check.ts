import type { DjangoProject, Project } from '../contracts/project-facts.js';
import type { ProcessPlan } from '../project/process-plan.js';
import type { Settings } from '../settings/settings.js';
import type { Severity } from './finding.js';
import type { Machine } from './machine.js';

/** What is looked at: everything that `easyserve start` would serve with, and the machine around it. */
export interface Subject {
  readonly settings: Settings;
  readonly project: Project;
  readonly plan: ProcessPlan;
  readonly machine: Machine;
}

/** The same of a Django project. */
export interface DjangoSubject extends Subject {
  readonly project: DjangoProject;
}

/** One way in which a subject fails a check. */
export interface Fault {
  readonly message: string;
  readonly fix: string;
  /** Where they differ from those of the check. */
  readonly name?: string;
  readonly severity?: Severity;
}

/** One thing that deployments get wrong. */
export interface Check {
  /** Of its findings: stable, kebab-case. */
  readonly name: string;
  readonly severity: Severity;
  /** What is wrong, for docs/check.md: begins with a capital, ends without a full stop. */
  readonly doc: string;
  /** The start looks at it too: it takes no time, and asks nobody. */
  readonly isQuick: boolean;
  /** Ids of Django's `check --deploy` that say the same; they are left out then, and silence this check too. */
  readonly djangoIds?: readonly string[];
  find(subject: Subject): readonly Fault[] | Promise<readonly Fault[]>;
}

type DjangoCheck = Omit<Check, 'find' | 'isQuick'> & {
  readonly isQuick?: boolean;
  find(subject: DjangoSubject): readonly Fault[] | Promise<readonly Fault[]>;
};

/** A check of Django's settings; of another kind of project it finds nothing. Quick unless it says otherwise. */
export function djangoCheck({ find, isQuick = true, ...check }: DjangoCheck): Check {
  return { ...check, isQuick, find: (subject) => (isDjango(subject) ? find(subject) : []) };
}

function isDjango(subject: Subject): subject is DjangoSubject {
  return subject.project.kind === 'django';
}
