import { StartError } from '../../contracts/errors.js';
import { djangoFactsOf } from '../../contracts/project-facts.js';
import type { Probe, ProbeResult } from '../../contracts/upstream.js';
import { wantsHttps } from '../../settings/settings.js';
import type { Release } from './release.js';

/** What a failing probe means: `required` refuses the start, `reported` logs it, `skipped` makes none. */
export type ProbeRule = 'required' | 'reported' | 'skipped';

/** Undefined: nobody answers. */
export type AskOther = (probe: Probe) => Promise<ProbeResult | undefined>;

/** The requests that show whether a process of this release works: as visitors make them. */
export function probesOf(release: Release): Probe[] {
  const { healthPath, healthTimeoutMs: timeoutMs, scriptName } = release.settings;
  const host = chooseProbeHost(release);
  const scheme = isForHttps(release) ? 'https' : 'http';
  const proxyHeaders = scheme === 'https' ? (djangoFactsOf(release.project)?.secureProxyHeaders ?? {}) : {};
  return [healthPath].flat().map((path) => ({
    path: isBelow(path, scriptName) ? path : scriptName + path,
    ...{ host, scheme, proxyHeaders, scriptName, timeoutMs },
  }));
}

/**
 * The Host header that the probe sends: the name that visitors of the site end up at. A name of ALLOWED_HOSTS that is whole
 * comes before one with a dot in front, which stands for all names below it too.
 */
export function chooseProbeHost({ settings, project }: Release): string {
  const { healthHost, canonicalHost, domains } = settings;
  const chosen = healthHost ?? canonicalHost ?? domains[0];
  if (chosen !== undefined) return chosen;
  const allowed = (djangoFactsOf(project)?.allowedHosts ?? []).filter((name) => name !== '*');
  const whole = allowed.find((name) => !name.startsWith('.'));
  return whole ?? allowed[0]?.slice(1) ?? 'localhost';
}

/** How a process answers a probe, and what there is to compare it with. */
export interface ProbedProcess {
  readonly ask: (probe: Probe) => Promise<ProbeResult>;
  readonly askBefore: AskOther | undefined;
  /** The end of what the process has printed. */
  readonly lastLines: () => string;
}

export interface ProbeVerdict {
  readonly failure: StartError;
  /** The release that serves does not fail there; also where it cannot be asked. */
  readonly isNew: boolean;
}

/** Undefined: the page is not broken. */
export async function checkProbe(
  probe: Probe,
  { ask, askBefore, lastLines }: ProbedProcess,
): Promise<ProbeVerdict | undefined> {
  const failure = await ask(probe).then(
    (result) => judgeProbe(result, probe.path, lastLines()),
    ({ message }: Error) =>
      new StartError('probe-failed', `The application did not answer ${probe.path}: ${message}.`, {
        detail: lastLines(),
      }),
  );
  if (failure === undefined) return undefined;
  const before = await askBefore?.(probe);
  return { failure, isNew: before === undefined || !isBroken(before) };
}

/** What is wrong with the answer to a probe, if anything. */
export function judgeProbe(result: ProbeResult, path: string, lastLines: string): StartError | undefined {
  if (!isBroken(result)) return undefined;
  const body = result.bodyHead
    .replace(/<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ')
    .trim()
    .slice(0, 300);
  return new StartError('probe-failed', `The application answers ${path} with status ${result.status}.`, {
    detail: [lastLines, body].filter((text) => text !== '').join('\n'),
    hint: describeMissingEntry(lastLines) ?? `${describeReason(lastLines)}; ${ifMeant}`,
  });
}

// Private

/** Visitors come by https: to us, or to a proxy that Django is told of. */
function isForHttps({ settings, project }: Release): boolean {
  const django = djangoFactsOf(project);
  if (wantsHttps(settings) || django?.redirectsToHttps === true) return true;
  return Object.keys(django?.secureProxyHeaders ?? {}).length > 0;
}

/** It may be written with the prefix or without. */
function isBelow(path: string, scriptName: string): boolean {
  return scriptName === path || ['/', '?'].some((end) => path.startsWith(scriptName + end));
}

const ifMeant = 'if that page is meant to fail, set healthPath to one that works.';

/** Errors may be logged into a file, a database or a mail, where nobody looks who reads this. */
function describeReason(lastLines: string): string {
  return /Traceback|Error|Exception/.test(lastLines)
    ? 'Mend what the lines above tell'
    : 'Look into the log of the application, which printed no error here: what it logs to stderr is told with this line (Django: LOGGING, a StreamHandler for django.request)';
}

/** What Django says where a name is not in the manifest, a computed one too (ManifestFilesMixin.stored_name). */
function describeMissingEntry(lastLines: string): string | undefined {
  const [, name] = /ValueError: Missing staticfiles manifest entry for '(.+)'/.exec(lastLines) ?? [];
  return (
    name && `Add ${name} to a static folder, or take it out of the page: no folder of static files has it.`
  );
}

/** A status of 500 or above means that the application is broken. */
function isBroken({ status }: ProbeResult): boolean {
  return status >= 500;
}
