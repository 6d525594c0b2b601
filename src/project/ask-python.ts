import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ApplicationError } from '../contracts/errors.js';
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
  readonly application: string;
  readonly interface: 'wsgi' | 'asgi';
  readonly installed: readonly string[];
  readonly django: Readonly<Record<string, unknown>>;
  readonly isGilEnabled: boolean;
  readonly rssBytes?: number | null;
  readonly warnings: readonly string[];
}

/** What app/python/inspect_application.py reports. */
export interface ApplicationReport {
  /** null: none of the modules asked for has an application. */
  readonly application: string | null;
  /** Undefined where `application` is null. */
  readonly interface?: 'wsgi' | 'asgi';
  readonly installed: readonly string[];
  readonly isGilEnabled: boolean;
  readonly rssBytes?: number | null;
}

/** The failure of app/python/easyserve_inspection.py. */
interface Failure {
  readonly code: string;
  readonly message: string;
  readonly detail?: string;
  readonly hint?: string;
  readonly missingModule?: string;
}

const scriptFolder = fileURLToPath(new URL('../app/python', import.meta.url));
/** The script ends itself at the deadline, with the stack of what hangs; it is killed only so much later. */
const stackTimeMs = 2000;

/** Throws ApplicationError with the code that the script gave, `application-hangs` or `application-dies`. */
export function askAboutDjango(question: PythonQuestion, args: readonly string[]): Promise<DjangoReport> {
  return ask<DjangoReport>(question, 'inspect_django.py', args);
}

/** `args`: see app/python/inspect_application.py. Throws like askAboutDjango. */
export function askAboutApplication(
  question: PythonQuestion,
  args: readonly string[],
): Promise<ApplicationReport> {
  return ask<ApplicationReport>(question, 'inspect_application.py', args);
}

/** About the Cheroot that is installed. Throws like askAboutDjango. */
export function askAboutCheroot(question: PythonQuestion): Promise<CherootReport> {
  return ask<CherootReport>(question, 'inspect_cheroot.py', []);
}

// Private

async function ask<Report>(
  question: PythonQuestion,
  script: string,
  args: readonly string[],
): Promise<Report> {
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
  if ('failure' in answer) throw await describeFailure(question, answer.failure);
  return answer.report;
}

type Answer<Report> = { readonly report: Report } | { readonly failure: Failure };

/** Undefined where the script died before its answer was complete. */
function parseAnswer<Report>(text: string): Answer<Report> | undefined {
  try {
    return JSON.parse(text) as Answer<Report>;
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
