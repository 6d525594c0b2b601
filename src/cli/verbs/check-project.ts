import { ExitCode } from '../../contracts/errors.js';
import {
  type DjangoFacts,
  type DjangoProject,
  djangoFactsOf,
  interpreterOf,
  kindNames,
  type Project,
} from '../../contracts/project-facts.js';
import { describeAddresses } from '../../project/owned-addresses.js';
import type { Settings } from '../../settings/settings.js';
import { describeBytes } from '../text/describe-quantity.js';
import type { Finding } from '../text/finding.js';

/** What `easyserve check` says of an application that could be imported. */
export function checkProject(
  project: Project,
  settings: Pick<Settings, 'serveStatic' | 'serveMedia'>,
): readonly Finding[] {
  const python = interpreterOf(project);
  return [
    ...(python === undefined
      ? []
      : [{ level: 'ok', text: `python: ${python.version}, ${python.path} (${python.source})` } as const]),
    { level: 'ok', text: describeApplication(project) },
    ...project.warnings.map((text): Finding => ({ level: 'note', text })),
    ...(project.kind === 'django' ? checkDjango(project) : []),
    ...checkAddresses(project, settings),
  ];
}

/** Only Python's applications are loaded to look at them. */
function describeApplication(project: Project): string {
  if (!('python' in project)) return `${kindNames[project.kind]}: ${project.application}`;
  const { application, applicationRssBytes } = project;
  const size = applicationRssBytes === undefined ? '' : `, ${describeBytes(applicationRssBytes)} in memory`;
  return `application: ${application}, imported${size}`;
}

/** A URLconf that cannot be loaded keeps every process from being ready. */
function checkAddresses(project: Project, settings: Parameters<typeof checkProject>[1]): readonly Finding[] {
  const isBroken = djangoFactsOf(project)?.urlsFailure !== undefined;
  return describeAddresses(project, settings).map((text) =>
    isBroken ? { level: 'problem', text, exitCode: ExitCode.startFailed } : { level: 'note', text },
  );
}

function checkDjango({ django, settingsModule: module }: DjangoProject): readonly Finding[] {
  const findings: Finding[] = [{ level: 'ok', text: `Django ${django.version}, ${module}` }];
  if (django.isDebug) {
    findings.push({
      level: 'note',
      text: 'DEBUG is on: error pages show the code and the settings of the site.',
      fix: `${noDebug(django)} in ${module}`,
    });
  } else if (django.allowedHosts.length === 0) {
    findings.push({
      level: 'problem',
      text: 'ALLOWED_HOSTS is empty: Django will answer every request with 400.',
      fix: `ALLOWED_HOSTS = ["www.example.org"] in ${module}`,
      exitCode: ExitCode.checkFailed,
    });
  }
  if (!django.isDebug && !django.logsErrors) {
    findings.push({
      level: 'note',
      text: 'LOGGING writes no errors: with DEBUG off, Django only mails tracebacks to ADMINS.',
      fix: `${simpleLogging} in ${module}`,
    });
  }
  return findings;
}

/** DEBUG alone, with ALLOWED_HOSTS empty, would be the next problem. */
function noDebug({ allowedHosts }: DjangoFacts): string {
  return allowedHosts.length > 0 ? 'DEBUG = False' : 'DEBUG = False and ALLOWED_HOSTS = ["www.example.org"]';
}

/** To stderr, and so into easyserve's log (docs/logs.md). */
const simpleLogging =
  'LOGGING = {"version": 1, "disable_existing_loggers": False, "handlers": {"stderr": {"class": "logging.StreamHandler"}}, "root": {"handlers": ["stderr"]}}';
