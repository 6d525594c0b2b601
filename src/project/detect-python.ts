import { join } from 'node:path';
import type { CallableProject, DjangoFacts, Project } from '../contracts/project-facts.js';
import { withOwnPorts, withPythonPath } from '../contracts/python-environment.js';
import type { DjangoSource } from '../settings/django-layer.js';
import type { Settings } from '../settings/settings.js';
import {
  type ApplicationReport,
  askAboutApplication,
  askAboutDjango,
  type DjangoReport,
  type PythonQuestion,
} from './ask-python.js';
import {
  type ChosenServer,
  chooseServer,
  type InterfacePreference,
  readInterfacePreference,
  type ServerSettings,
} from './choose-server.js';
import { findInterpreter } from './interpreter.js';
import { isFile } from './path-checks.js';
import type { PythonPlace } from './python-places.js';
import { type RunOptions, runCommand } from './run-command.js';

/** What the Python applications of a folder are found by. */
export interface PythonDetection extends Omit<RunOptions, 'run'> {
  readonly settings: Pick<
    Settings,
    'app' | 'appPorts' | 'settingsModule' | 'python' | 'scriptName' | 'static' | 'wellKnownRoot'
  > &
    ServerSettings;
  /** The settings with what Django says, which may choose the server; throws SettingsError. */
  readonly withDjango?: ((source: DjangoSource) => ServerSettings) | undefined;
  /** Also imports a Django project's application, for its size and the state of the GIL. */
  readonly measure: boolean;
  /** Also runs Django's own checks, and asks the databases. */
  readonly examine?: boolean;
  readonly run?: RunOptions['run'];
}

/**
 * The Django project of `root`; `named` is the folder that the person named.
 *
 * Throws ApplicationError and SettingsError.
 */
export async function detectDjango(
  detection: PythonDetection,
  named: string,
  root: string,
): Promise<Project> {
  const question = await choosePython(detection, named, root);
  const first = readInterfacePreference(detection.settings);
  let report = await askDjango(detection, question, first);
  if (report.isOfOtherEntry)
    report = await askDjango(detection, question, { ...first, interface: report.interface });
  const settings = detection.withDjango?.(djangoSource(report)) ?? detection.settings;
  const last = readInterfacePreference(settings);
  if (last.interface !== first.interface) report = await askDjango(detection, question, last);
  const chosen = await chooseServer(settings, report, question);
  return {
    ...describeImported(question, report, chosen),
    kind: 'django',
    application: report.application,
    settingsModule: report.settingsModule,
    ...(report.hasOtherManageSettings && { hasOtherManageSettings: true }),
    django: report.django as unknown as DjangoFacts,
  };
}

/**
 * The application that one of the modules holds, or the one of the setting `app`; undefined where there is none. Throws like
 * detectDjango.
 */
export async function detectPython(
  detection: PythonDetection,
  root: string,
  { specs, pythonPath }: PythonPlace,
): Promise<Project | undefined> {
  const { settings } = detection;
  const env = withPythonPath(detection.env, pythonPath);
  const question = await choosePython({ ...detection, env }, root, root);
  const preference = preferenceArguments(readInterfacePreference(settings));
  const report = await askAboutApplication(question, [...preference, ...specs]);
  const { application, interface: kind } = report;
  if (application === null || kind === undefined) return undefined;
  const chosen = await chooseServer(settings, { ...report, interface: kind }, question);
  return {
    ...describeImported(question, report, chosen),
    kind,
    application,
    ...(pythonPath !== undefined && { pythonPath }),
  };
}

// Private

async function askDjango(
  { settings, measure, examine }: PythonDetection,
  question: PythonQuestion,
  preference: InterfacePreference,
): Promise<DjangoReport> {
  const manage = join(question.root, 'manage.py');
  const args = preferenceArguments(preference);
  if (await isFile(manage)) args.push(`--manage=${manage}`);
  if (settings.settingsModule !== null) args.push(`--settings-module=${settings.settingsModule}`);
  if (settings.app !== null) args.push(`--application=${settings.app}`);
  if (settings.scriptName !== '') args.push(`--script-name=${settings.scriptName}`);
  for (const prefix of Object.keys(settings.static)) args.push(`--answered=${prefix.replace(/\/?$/, '/')}`);
  if (settings.wellKnownRoot !== null) args.push('--answered=/.well-known/');
  if (measure) args.push('--measure');
  if (examine) args.push('--examine');
  return askAboutDjango(question, args);
}

function djangoSource({ django, settingsModule }: DjangoReport): DjangoSource {
  return { easyserver: django.easyserver, cheroot: django.cheroot, settingsModule };
}

function preferenceArguments({ interface: preferred, chosenBy }: InterfacePreference): string[] {
  return preferred === undefined ? [] : [`--interface=${preferred}`, `--chosen-by=${chosenBy}`];
}

async function choosePython(
  { settings, env: given, timeoutMs, signal, run = runCommand }: PythonDetection,
  named: string,
  root: string,
): Promise<PythonQuestion> {
  const env = withOwnPorts(given, settings.appPorts);
  const options = { env, timeoutMs, signal, run };
  const { platform } = process;
  const python = await findInterpreter({ root, named, setting: settings.python, platform, ...options });
  return { python, root, named, ...options };
}

function describeImported(
  { python: { path, source, version, warnings: pythonWarnings }, root }: PythonQuestion,
  {
    isGilEnabled,
    rssBytes,
    environment,
    hasEngineIo,
    warnings = [],
  }: Partial<Pick<DjangoReport, 'warnings'>> & ApplicationReport,
  chosen: ChosenServer,
): Omit<CallableProject, 'kind' | 'application'> {
  return {
    server: chosen.server,
    root,
    python: { path, source, version, isGilEnabled },
    applicationRssBytes: rssBytes ?? undefined,
    environment,
    ...(hasEngineIo && { hasEngineIo }),
    warnings: [...pythonWarnings, ...warnings, ...chosen.warnings],
  };
}
