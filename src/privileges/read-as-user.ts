import { describeError, type ErrorRecord } from '../contracts/errors.js';
import type { DjangoProject } from '../contracts/project-facts.js';
import { ignoreStraySignals, stopSignals } from '../contracts/stray-signals.js';
import { askFiles, type FileAsking } from '../project/ask-files.js';
import { type Collection, collectStatic } from '../project/collect-static.js';
import { type Detection, detectProject } from '../project/detect-project.js';
import { loadSettings, type SettingsSources } from '../settings/load.js';
import type { Account } from './account.js';
import { Privileges } from './privileges.js';

/** One for each process; UserReader sends it. */
export type Job =
  | {
      readonly kind: 'detect';
      readonly account: Account;
      readonly sources: Omit<SettingsSources, 'django'>;
      readonly detection: Omit<Detection, 'signal' | 'run' | 'withDjango'>;
    }
  | {
      readonly kind: 'collect';
      readonly account: Account;
      readonly project: DjangoProject;
      readonly collection: Omit<Collection, 'signal' | 'run'>;
    }
  | {
      readonly kind: 'ask-files';
      readonly account: Account;
      readonly project: DjangoProject;
      readonly asking: Omit<FileAsking, 'signal' | 'run'>;
    };

export type Answer = { readonly result: unknown } | { readonly error: ErrorRecord };

/**
 * The program of a process that root forks to read a project: it becomes the user for good before the first line of the
 * project's code runs.
 */
ignoreStraySignals();

const brokenOff = new AbortController();
process.once('disconnect', () => brokenOff.abort());
// A terminal or a service manager sends these to the whole group; the parent closes the channel when it is to end.
for (const signal of [...stopSignals, 'SIGHUP'] as const) process.on(signal, () => {});
process.once('message', (job: Job) => void answer(job));

async function answer(job: Job): Promise<void> {
  let message: Answer;
  try {
    message = { result: await perform(job) };
  } catch (error) {
    message = { error: describeError(error) };
  }
  if (process.connected) process.send?.(message, () => process.disconnect());
}

function perform(job: Job): Promise<unknown> {
  new Privileges(job.account).drop();
  const { signal } = brokenOff;
  if (job.kind === 'collect') return collectStatic(job.project, { ...job.collection, signal });
  if (job.kind === 'ask-files') return askFiles(job.project, { ...job.asking, signal });
  const withDjango: Detection['withDjango'] = (django) => loadSettings({ ...job.sources, django }).settings;
  return detectProject({ ...job.detection, withDjango, signal });
}
