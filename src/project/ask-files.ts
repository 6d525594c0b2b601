import { join } from 'node:path';
import type { DjangoProject, Project } from '../contracts/project-facts.js';
import type { Settings } from '../settings/settings.js';
import { askAboutStatic } from './ask-python.js';
import { isFile } from './path-checks.js';
import { type RunOptions, runCommand } from './run-command.js';

export interface FileAsking extends Omit<RunOptions, 'run'> {
  readonly settings: Pick<Settings, 'scriptName'>;
  readonly run?: RunOptions['run'];
}

/** Whether WhiteNoise's settings have functions that say something of each file (WHITENOISE_IMMUTABLE_FILE_TEST and such). */
export function hasFileFunctions(
  project: Project,
  { serveStatic }: Pick<Settings, 'serveStatic'>,
): project is DjangoProject {
  return serveStatic && project.kind === 'django' && project.django.whitenoise?.asksFiles === true;
}

/**
 * The project with the answers of these functions for each file, once the files are collected. They run in the project's Python,
 * at each load, and never while a request waits. Throws ApplicationError.
 */
export async function askFiles(project: DjangoProject, asking: FileAsking): Promise<DjangoProject> {
  const { root, python, settingsModule, django } = project;
  const { whitenoise } = django;
  if (whitenoise === undefined) return project;
  const { settings, run = runCommand, ...options } = asking;
  const manage = join(root, 'manage.py');
  const args = [`--settings-module=${settingsModule}`];
  if (await isFile(manage)) args.push(`--manage=${manage}`);
  if (settings.scriptName !== '') args.push(`--script-name=${settings.scriptName}`);
  if (whitenoise.root !== undefined) args.push(`--root=${whitenoise.root}`);
  const question = {
    root,
    named: root,
    python: { ...python, passedOver: [], warnings: [] },
    run,
    ...options,
  };
  const { answers, warnings } = await askAboutStatic(question, args);
  return {
    ...project,
    warnings: [...project.warnings, ...warnings],
    django: { ...django, whitenoise: { ...whitenoise, answers } },
  };
}
