import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ApplicationError } from '../contracts/errors.js';
import type { Project } from '../contracts/project-facts.js';
import type { Settings } from '../settings/settings.js';
import { type RunCommand, runCommand } from './run-command.js';

export interface Collection {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  readonly run?: RunCommand;
}

/** Whether collectStatic is due: STATIC_ROOT is set, and the setting `collect` lets us. */
export function wantsCollectStatic(project: Project, settings: Pick<Settings, 'collect'>): boolean {
  return settings.collect === 'auto' && project.django?.staticRoot !== undefined;
}

/**
 * Runs collectstatic, through manage.py where there is one, and resolves with its summary ("12 static files copied …").
 *
 * Called by launcher at start and at a reload, beside a site that may be running: collectstatic only adds and overwrites.
 * Throws ApplicationError with what it printed.
 */
export async function collectStatic(project: Project, collection: Collection): Promise<string> {
  const { env, timeoutMs, signal, run = runCommand } = collection;
  const manage = join(project.root, 'manage.py');
  const hasManage = await stat(manage).then(
    () => true,
    () => false,
  );
  const { python, root, settingsModule } = project;
  if (python === undefined) throw new Error('a project without Python has nothing to collect');
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
