import { join } from 'node:path';
import { ApplicationError } from '../contracts/errors.js';
import type { DjangoProject, Project } from '../contracts/project-facts.js';
import type { Settings } from '../settings/settings.js';
import { exists } from './path-checks.js';
import { type RunOptions, runCommand } from './run-command.js';

export type Collection = Omit<RunOptions, 'run'> & Partial<Pick<RunOptions, 'run'>>;

/** Whether collectstatic is to be run: STATIC_ROOT is set, and the setting `collect` allows it. */
export function wantsCollectStatic(
  project: Project,
  settings: Pick<Settings, 'collect'>,
): project is DjangoProject {
  return settings.collect === 'auto' && project.kind === 'django' && project.django.staticRoot !== undefined;
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
