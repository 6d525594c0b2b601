import { join } from 'node:path';
import type { DjangoFacts, Interpreter, Project } from '../contracts/project-facts.js';
import type { DjangoSource } from '../settings/django-layer.js';
import type { Settings } from '../settings/settings.js';
import {
  type ApplicationReport,
  askAboutApplication,
  askAboutDjango,
  type DjangoReport,
  type PythonQuestion,
} from './ask-python.js';
import { chooseServer, readWish, type ServerSettings, type Wish } from './choose-server.js';
import { type FoundInterpreter, findInterpreter } from './interpreter.js';
import { isFile } from './path-checks.js';
import { type RunCommand, runCommand } from './run-command.js';

/** What the Python applications of a folder are found by. */
export interface PythonDetection {
  readonly settings: Pick<Settings, 'app' | 'settingsModule' | 'python' | 'scriptName'> & ServerSettings;
  /** The settings with what Django says, which may choose the server; throws SettingsError. */
  readonly withDjango?: ((source: DjangoSource) => ServerSettings) | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Also imports a Django project's application, for its size and the state of the GIL. */
  readonly measure: boolean;
  /** For each program that is asked. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  readonly run?: RunCommand;
}

/**
 * The Django project of `root`; `named` is the folder that the person named. Called by detect-project.
 *
 * Throws ApplicationError and SettingsError.
 */
export async function detectDjango(
  detection: PythonDetection,
  named: string,
  root: string,
): Promise<Project> {
  const { question, python } = await choosePython(detection, named, root);
  const wish = readWish(detection.settings);
  let report = await askDjango(detection, question, wish);
  const settings = detection.withDjango?.(djangoSource(report)) ?? detection.settings;
  const lastWish = readWish(settings);
  if (lastWish.interface !== wish.interface) report = await askDjango(detection, question, lastWish);
  const { server, warnings } = await chooseServer(settings, report, question);
  return {
    kind: 'django',
    server,
    root,
    python: withGil(python, report.isGilEnabled),
    application: report.application,
    settingsModule: report.settingsModule,
    django: report.django as unknown as DjangoFacts,
    applicationRssBytes: report.rssBytes ?? undefined,
    warnings: [...python.passedOver, ...report.warnings, ...warnings],
  };
}

/**
 * The application that one of the modules holds, or the one of the setting `app`; undefined where there is none. Called by
 * detect-project. Throws like detectDjango.
 */
export async function detectPython(
  detection: PythonDetection,
  root: string,
  specs: readonly string[],
): Promise<Project | undefined> {
  const { settings } = detection;
  const { question, python } = await choosePython(detection, root, root);
  const report = await askAboutApplication(question, [...wishArguments(readWish(settings)), ...specs]);
  if (!isFound(report)) return undefined;
  const { server, warnings } = await chooseServer(settings, report, question);
  return {
    kind: report.interface,
    server,
    root,
    python: withGil(python, report.isGilEnabled),
    application: report.application,
    applicationRssBytes: report.rssBytes ?? undefined,
    warnings: [...python.passedOver, ...warnings],
  };
}

// Private

async function askDjango(
  { settings, measure }: PythonDetection,
  question: PythonQuestion,
  wish: Wish,
): Promise<DjangoReport> {
  const manage = join(question.root, 'manage.py');
  const args = wishArguments(wish);
  if (await isFile(manage)) args.push(`--manage=${manage}`);
  if (settings.settingsModule !== null) args.push(`--settings-module=${settings.settingsModule}`);
  if (settings.app !== null) args.push(`--application=${settings.app}`);
  if (settings.scriptName !== '') args.push(`--script-name=${settings.scriptName}`);
  if (measure) args.push('--measure');
  return askAboutDjango(question, args);
}

function djangoSource({ django, settingsModule }: DjangoReport): DjangoSource {
  return { easyserver: django.easyserver, cheroot: django.cheroot, settingsModule };
}

function wishArguments({ interface: wished, chosenBy }: Wish): string[] {
  return wished === undefined ? [] : [`--interface=${wished}`, `--chosen-by=${chosenBy}`];
}

function isFound(
  report: ApplicationReport,
): report is ApplicationReport & { readonly application: string; readonly interface: 'wsgi' | 'asgi' } {
  return report.application !== null && report.interface !== undefined;
}

async function choosePython(
  { settings, env, timeoutMs, signal, run = runCommand }: PythonDetection,
  named: string,
  root: string,
): Promise<{ question: PythonQuestion; python: FoundInterpreter }> {
  const { platform } = process;
  const python = await findInterpreter({
    root,
    named,
    env,
    setting: settings.python,
    platform,
    timeoutMs,
    signal,
    run,
  });
  return { question: { python, root, env, timeoutMs, signal, run }, python };
}

function withGil({ path, source, version }: FoundInterpreter, isGilEnabled: boolean): Interpreter {
  return { path, source, version, isGilEnabled };
}
