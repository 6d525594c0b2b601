import { StartError } from '../../contracts/errors.js';
import { djangoFactsOf } from '../../contracts/project-facts.js';
import type { Probe, ProbeResult } from '../../contracts/upstream.js';
import type { Release } from './release.js';

/** What a failing probe means: `required` refuses the start, `reported` logs it, `skipped` makes none. */
export type ProbeRule = 'required' | 'reported' | 'skipped';

/** The request that shows whether a process of this release works. */
export function probeOf(release: Release): Probe {
  const { healthPath, healthTimeoutMs } = release.settings;
  return { path: healthPath, host: chooseProbeHost(release), timeoutMs: healthTimeoutMs };
}

/** The Host header that the probe sends: the setting, else the first name of ALLOWED_HOSTS that is one. */
export function chooseProbeHost(release: Release): string {
  const { settings, project } = release;
  if (settings.healthHost !== null) return settings.healthHost;
  for (const name of djangoFactsOf(project)?.allowedHosts ?? []) {
    if (name === '*') return 'localhost';
    return name.startsWith('.') ? name.slice(1) : name;
  }
  return 'localhost';
}

/** What is wrong with the answer to a probe, if anything: a status of 500 or above means that the application is broken. */
export function judgeProbe(result: ProbeResult, path: string, lastLines: string): StartError | undefined {
  if (result.status < 500) return undefined;
  const body = result.bodyHead
    .replace(/<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ')
    .trim()
    .slice(0, 300);
  return new StartError('probe-failed', `The application answers ${path} with status ${result.status}.`, {
    detail: [lastLines, body].filter((text) => text !== '').join('\n'),
    hint: 'Mend what the lines above tell; if that page is meant to fail, set healthPath to one that works.',
  });
}
