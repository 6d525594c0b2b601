import { isThreaded, kindNames } from '../../contracts/project-facts.js';
import type { AppStatus, InstanceStatus, SiteStatus } from '../../contracts/status.js';
import { paint } from '../../log/paint.js';
import { visibleText } from '../../log/visible-text.js';
import { describeCertificates } from './describe-certificates.js';
import { describeBytes, describeDuration } from './describe-quantity.js';
import { alignTable } from './layout.js';

export interface StatusView {
  /** Milliseconds since 1970, as Date.now() tells. */
  readonly now: number;
  readonly isColoured: boolean;
}

/** What `easyserve status` prints for people. */
export function describeStatus(status: InstanceStatus, { now, isColoured }: StatusView): string {
  const colour = status.state === 'running' ? 'green' : 'yellow';
  const parts = [
    alignTable([
      ['state', status.state],
      ['mode', `${describeMode(status)} (${status.reason})`],
      ...status.urls.map((url) => ['url', url]),
      ['project', status.project.root],
      ['app', `${status.project.application} (${describeKind(status.project)})`],
      ...(status.project.python === undefined ? [] : [['python', status.project.python]]),
      ['process', `${status.pid}, easyserve ${status.version}`],
      ['up', `${describeAge(status.startedAt, now)}, generation ${status.generation}`],
      ...refusal(status),
    ]).replace(status.state, (state) => paint(isColoured, colour, state)),
    ...(status.certificates.length === 0 ? [] : [describeCertificates(status.certificates, now)]),
    ...status.sites.map((site) => describeSite(site, status.mode, now)),
  ];
  return parts.join('\n');
}

function describeMode({ mode, project }: InstanceStatus): string {
  if (mode === 'cluster') return 'cluster';
  return isThreaded(project.server) ? 'single process with threads' : 'single process';
}

/** With the name of the server where the kind does not say it. */
function describeKind({ kind, server }: InstanceStatus['project']): string {
  const isSaid = server === kind || server === 'none' || server === 'gateway';
  return isSaid ? kindNames[kind] : `${kindNames[kind]}, ${server}`;
}

function refusal({ lastReloadError }: InstanceStatus): string[][] {
  return lastReloadError === undefined ? [] : [['refused', `the last reload: ${lastReloadError.message}`]];
}

function describeSite(site: SiteStatus, mode: InstanceStatus['mode'], now: number): string {
  const name = mode === 'cluster' ? `front ${visibleText(String(site.pid))}: ` : '';
  const load = `${name}${count(site.connections, 'connection')}, ${count(site.queued, 'request')} waiting\n`;
  // A folder of files has no application process.
  if (site.apps.length === 0) return load;
  return `${load}${alignTable([heading, ...site.apps.map((app) => describeApp(app, now))])}`;
}

const heading = ['PID', 'STATE', 'GEN', 'THREADS', 'IN FLIGHT', 'REQUESTS', 'RESTARTS', 'MEMORY', 'UP'];

function describeApp(app: AppStatus, now: number): string[] {
  return [
    String(app.pid),
    app.state,
    String(app.generation),
    String(app.threads),
    String(app.inFlight),
    String(app.requests),
    String(app.restarts),
    app.rssBytes === undefined ? '' : describeBytes(app.rssBytes),
    describeAge(app.startedAt, now),
  ];
}

function describeAge(startedAt: string, now: number): string {
  return describeDuration(now - Date.parse(startedAt));
}

function count(number: number, noun: string): string {
  return visibleText(`${number} ${noun}${number === 1 ? '' : 's'}`);
}
