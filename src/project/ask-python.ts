import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ApplicationError } from '../contracts/errors.js';
import type { EnvironmentUse, FileAnswer } from '../contracts/project-facts.js';
import type { CherootReport } from './cheroot-keywords.js';
import { describeRequirements, type PackagePlace } from './install-command.js';
import type { FoundInterpreter } from './interpreter.js';
import type { CommandResult, RunOptions } from './run-command.js';

/** Which interpreter to ask, and where. */
export interface PythonQuestion extends RunOptions, PackagePlace {
  readonly python: FoundInterpreter;
  /** The project's folder: working directory and first entry of sys.path. */
  readonly root: string;
}

/** What app/python/inspect_django.py reports. `django` has the shape of DjangoFacts. */
export interface DjangoReport {
  readonly settingsModule: string;
  readonly hasOtherManageSettings: boolean;
  readonly application: string;
  readonly interface: 'wsgi' | 'asgi';
  readonly installed: readonly string[];
  readonly django: Readonly<Record<string, unknown>>;
  readonly hasEngineIo?: boolean;
  readonly isGilEnabled: boolean;
  readonly environment?: EnvironmentUse;
  readonly rssBytes?: number | null;
  readonly warnings: readonly string[];
  /** The settings are those of wsgi.py, and it turned out that asgi.py is served, or the other way round. */
  readonly isOfOtherEntry: boolean;
}

/** What app/python/inspect_application.py reports. */
export interface ApplicationReport {
  /** null: none of the modules asked for has an application. */
  readonly application: string | null;
  /** Undefined where `application` is null. */
  readonly interface?: 'wsgi' | 'asgi';
  readonly installed: readonly string[];
  readonly hasEngineIo?: boolean;
  readonly isGilEnabled: boolean;
  readonly environment?: EnvironmentUse;
  readonly rssBytes?: number | null;
}

/** The failure of app/python/easyserve_inspection.py. */
interface Failure {
  readonly code: string;
  readonly message: string;
  readonly detail?: string;
  readonly hint?: string;
  readonly missingModule?: string;
  /** A settings module that manage.py names, in place of the one that could not be loaded. */
  readonly otherSettings?: string;
}

type Answer<Report> = { readonly report: Report } | { readonly failure: Failure };

const scriptFolder = fileURLToPath(new URL('../app/python', import.meta.url));
/** The script ends itself at the deadline, with the stack of what hangs; it is killed only so much later. */
const stackTimeMs = 2000;

/** Throws ApplicationError with the code that the script gave, `application-hangs` or `application-dies`. */
export async function askAboutDjango(
  question: PythonQuestion,
  args: readonly string[],
): Promise<DjangoReport> {
  const answer = await ask<DjangoReport>(question, 'inspect_django.py', args);
  if ('report' in answer) return answer.report;
  const { failure } = answer;
  const error = await describeFailure(question, failure);
  throw failure.otherSettings === undefined
    ? error
    : withOtherSettings(error, failure.otherSettings, await tryOther(question, args, failure.otherSettings));
}

/** `args`: see app/python/inspect_application.py. Throws like askAboutDjango. */
export function askAboutApplication(
  question: PythonQuestion,
  args: readonly string[],
): Promise<ApplicationReport> {
  return report<ApplicationReport>(question, 'inspect_application.py', args);
}

/** What app/python/inspect_static.py reports. */
export interface StaticReport {
  readonly answers: Readonly<Record<string, FileAnswer>>;
  readonly warnings: readonly string[];
}

/** Of each static file. Throws like askAboutDjango. */
export function askAboutStatic(question: PythonQuestion, args: readonly string[]): Promise<StaticReport> {
  return report<StaticReport>(question, 'inspect_static.py', args);
}

/** About the Cheroot that is installed. Throws like askAboutDjango. */
export function askAboutCheroot(question: PythonQuestion): Promise<CherootReport> {
  return report<CherootReport>(question, 'inspect_cheroot.py', []);
}

// Private

async function report<Report>(
  question: PythonQuestion,
  script: string,
  args: readonly string[],
): Promise<Report> {
  const answer = await ask<Report>(question, script, args);
  if ('failure' in answer) throw await describeFailure(question, answer.failure);
  return answer.report;
}

/** Undefined where the other settings can't be loaded either. */
async function tryOther(
  question: PythonQuestion,
  args: readonly string[],
  settings: string,
): Promise<DjangoReport | undefined> {
  const answer = await ask<DjangoReport>(question, 'inspect_django.py', [
    ...args.filter((each) => each !== '--measure'),
    `--settings-module=${settings}`,
  ]).catch(() => undefined);
  question.signal?.throwIfAborted();
  return answer !== undefined && 'report' in answer ? answer.report : undefined;
}

/** Says that other settings load; those for development (DEBUG) are not advised. */
function withOtherSettings(
  error: ApplicationError,
  settings: string,
  report: DjangoReport | undefined,
): ApplicationError {
  if (report === undefined) return error;
  const { code, message, detail, hint } = error;
  const sentence = `${settings}, which manage.py names, can be loaded`;
  const advice = report.django.isDebug
    ? `${hint ?? 'set what these settings need'} (${sentence}, but has DEBUG = True, which is for development)`
    : `${hint === undefined ? '' : `${hint}, or, as ${sentence}: `}easyserve start --set settingsModule=${settings}`;
  return new ApplicationError(code, message, { detail, hint: advice, cause: error.cause });
}

async function ask<Report>(
  question: PythonQuestion,
  script: string,
  args: readonly string[],
): Promise<Answer<Report>> {
  const { python, root, env, timeoutMs, signal, run } = question;
  const result = await run({
    command: python.path,
    args: ['-u', join(scriptFolder, script), `--timeout=${timeoutMs / 1000}`, ...args],
    cwd: root,
    env,
    timeoutMs: timeoutMs + stackTimeMs,
    signal,
    hasAnswer: true,
  });
  const answer = parseAnswer<Report>(result.answer);
  if (answer === undefined) throw describeSilence(question, result);
  return answer;
}

/**
 * Undefined where the script died before its answer was complete. The answer is the last line: the project can write to the
 * descriptor too.
 */
function parseAnswer<Report>(text: string): Answer<Report> | undefined {
  try {
    const answer: unknown = JSON.parse(text.slice(text.lastIndexOf('\n') + 1));
    const isAnswer =
      typeof answer === 'object' && answer !== null && ('report' in answer || 'failure' in answer);
    return isAnswer ? (answer as Answer<Report>) : undefined;
  } catch {
    return undefined;
  }
}

function describeSilence({ timeoutMs }: PythonQuestion, result: CommandResult): ApplicationError {
  const detail = result.output || undefined;
  if (result.durationMs >= timeoutMs) {
    return new ApplicationError(
      'application-hangs',
      `The project did not finish loading within ${timeoutMs / 1000} seconds.`,
      {
        detail,
        hint: 'If it only is slow: easyserve start --set readyTimeoutMs=120000',
      },
    );
  }
  const end = result.signal === null ? `with exit code ${result.code}` : `by the signal ${result.signal}`;
  return new ApplicationError('application-dies', `Python ended ${end} while it loaded the project.`, {
    detail,
  });
}

async function describeFailure(question: PythonQuestion, failure: Failure): Promise<ApplicationError> {
  const { path, source, warnings } = question.python;
  const { code, message, detail, missingModule } = failure;
  const which = `The interpreter is ${path} (from ${source}).`;
  if (code === 'django-missing') {
    const what = missingModule === 'django' ? 'Django is not installed.' : message;
    return new ApplicationError(code, `${what} ${which}`, {
      detail: [...warnings, detail].join('\n'),
      hint: await describeRequirements(question, 'django'),
    });
  }
  if (missingModule === undefined || code === 'application-module-missing') {
    return new ApplicationError(code, message, { detail, hint: failure.hint });
  }
  return new ApplicationError(code, `${message}. ${which}`, {
    detail,
    hint: await describeRequirements(question, missingModule),
  });
}
