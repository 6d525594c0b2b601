import { join } from 'node:path';
import { ApplicationError } from '../contracts/errors.js';
import type { DjangoProject, Project } from '../contracts/project-facts.js';
import type { Settings } from '../settings/settings.js';
import { exists } from './path-checks.js';
import { type RunOptions, runCommand } from './run-command.js';
import { tryToWrite } from './written-places.js';

export type Collection = Omit<RunOptions, 'run'> & Partial<Pick<RunOptions, 'run'>>;

/** Whether collectstatic is to be run: STATIC_ROOT is set, and the setting `collect` allows it. */
export function wantsCollectStatic(
  project: Project,
  settings: Pick<Settings, 'collect'>,
): project is DjangoProject {
  return settings.collect === 'auto' && project.kind === 'django' && project.django.staticRoot !== undefined;
}

/** As in a container: what was collected when its image was built is served. A sentence that says so; none where it can be written. */
export async function findReadOnly({ django: { staticRoot } }: DjangoProject): Promise<readonly string[]> {
  if (staticRoot === undefined) return [];
  const failure = await tryToWrite({ name: 'STATIC_ROOT', path: staticRoot, kind: 'folder' });
  if (failure?.code !== 'EROFS') return [];
  return [
    `STATIC_ROOT ${staticRoot} is on a read-only file system, so that nothing is collected: run collectstatic when the image is built.`,
  ];
}

/**
 * Runs collectstatic, through manage.py where there is one, and resolves with its summary ("12 static files copied …").
 *
 * At a reload the old release serves meanwhile; it loses no file, because collectstatic only adds and overwrites.
 * Throws ApplicationError with what it printed.
 */
export async function collectStatic(project: DjangoProject, collection: Collection): Promise<string> {
  const { env, timeoutMs, signal, run = runCommand } = collection;
  const manage = join(project.root, 'manage.py');
  const hasManage = await exists(manage);
  const { python, root, settingsModule } = project;
  const result = await run({
    command: python.path,
    args: ['-u', ...(hasManage ? [manage] : ['-m', 'django']), 'collectstatic', '--noinput'],
    cwd: root,
    env: { ...env, DJANGO_SETTINGS_MODULE: settingsModule },
    timeoutMs,
    signal,
  });
  if (result.code === 0) return result.stdout.split('\n').at(-1) ?? '';
  throw new ApplicationError(
    'collectstatic-failed',
    result.isTimedOut
      ? `collectstatic did not end within ${timeoutMs / 1000} seconds.`
      : 'collectstatic failed, so the static files may be out of date.',
    {
      detail: result.output || undefined,
      hint: 'To collect by yourself: easyserve start --set collect=never',
    },
  );
}
