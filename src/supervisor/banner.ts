import type { Release } from '../app/pool/release.js';
import { isAllowedHost } from '../check/django/allowed-host.js';
import {
  djangoFactsOf,
  interpreterOf,
  isThreaded,
  kindNames,
  type Project,
  type ServerName,
} from '../contracts/project-facts.js';
import type { InstanceStatus } from '../contracts/status.js';
import type { Output } from '../log/output.js';
import { paint } from '../log/paint.js';
import { visibleText } from '../log/visible-text.js';
import type { InstanceOutput } from './instance-output.js';

export interface BannerFacts {
  readonly status: InstanceStatus;
  readonly project: Project;
  readonly threads: number;
  readonly processes: number;
  readonly settingsFile: string | undefined;
  readonly advice: string | undefined;
  /** What a person types. */
  readonly typed: { readonly reload: string; readonly stop: string };
  readonly stdout: Pick<Output, 'colour' | 'columns'>;
}

type Row = readonly [name: string, text: string];

const nameWidth = 10;

/** Tells that the site is up: with a banner for people, a record for programs. */
export function announce(
  { release, ...seen }: Pick<BannerFacts, 'status' | 'typed' | 'stdout'> & { release: Release },
  output: InstanceOutput,
): void {
  const { project, plan, file } = release;
  const { processes, threads, advice } = plan;
  if (output.format === 'pretty') {
    const found = { project, threads, processes, settingsFile: file, advice };
    output.takeLines(renderBanner({ ...seen, ...found }), 'stdout');
    return;
  }
  const { mode, urls, generation, reason } = seen.status;
  const fields = { url: urls[0], urls, mode, reason, generation, processes, threads };
  output.log.info('ready', 'the site is up', fields);
  if (advice !== undefined) output.log.info('advice', advice);
}

/** What a person reads when the site is up: what was found, which mode and why, the URL, and what to type next. */
export function renderBanner(facts: BannerFacts): string {
  const { status, stdout } = facts;
  const margin = 2 + nameWidth;
  const lines = listRows(facts).map(([name, text]) =>
    wrapText(`  ${name.padEnd(nameWidth)}${visibleText(text)}`, margin, stdout.columns?.()),
  );
  const urls = paint(stdout.colour, 'bold', visitorUrls(status).join(' '));
  return `\n  easyserve ${status.version} serves ${urls}\n\n${lines.join('\n')}\n\n`;
}

/**
 * Breaks a line between its words so that it fits into `columns`, and begins what follows with `indent` spaces. A word that
 * is longer than that stays whole: paths and addresses are there to be copied. Without `columns` nothing is broken.
 */
export function wrapText(line: string, indent: number, columns: number | undefined): string {
  if (columns === undefined || line.length <= columns) return line;
  const margin = ' '.repeat(indent);
  const lines: string[] = [];
  let rest = line;
  while (rest.length > columns) {
    const at = findBreak(rest, indent, columns);
    if (at < 0) break;
    lines.push(rest.slice(0, at));
    rest = margin + rest.slice(at + 1);
  }
  return [...lines, rest].join('\n');
}

// Private

function listRows({ status, project, settingsFile, advice, typed, ...plan }: BannerFacts): readonly Row[] {
  const python = interpreterOf(project);
  const django = djangoFactsOf(project);
  const kind = django === undefined ? kindNames[status.project.kind] : `Django ${django.version}`;
  const names = django === undefined ? undefined : otherNames(visitorUrls(status), django.allowedHosts);
  return [
    ['found', `${kind}, ${describePlace(status.project)}`],
    ...row('python', python && `${python.version} from ${python.source}`),
    ...row('settings', settingsFile),
    ...row('server', serverNames[project.server]),
    ['mode', `${describeWorkers(status, project, plan)} (${status.reason})`],
    ...row('', advice),
    ...row('names', names),
    ['reload', `${typed.reload}, or kill -HUP ${status.pid}`],
    ['stop', `Ctrl-C, or ${typed.stop}`],
  ];
}

/** What visitors type: the names of the certificates; without any, where the site listens. */
function visitorUrls({ urls, certificates }: InstanceStatus): readonly string[] {
  const secure = urls.find((url) => url.startsWith('https:'));
  const names = certificates
    .flatMap((certificate) => certificate.names)
    .filter((name) => /^[^*:]+$/.test(name));
  if (secure === undefined || names.length === 0) return urls;
  const { port } = new URL(secure);
  return [...new Set(names)].map((name) => `https://${name}${port === '' ? '' : `:${port}`}/`);
}

/** The path of a folder of files says everything. */
function describePlace({ kind, application, root }: InstanceStatus['project']): string {
  return kind === 'folder' ? application : `${application} in ${root}`;
}

/** Of servers that a person may have chosen; the others go without saying. */
const serverNames: Readonly<Record<ServerName, string | undefined>> = {
  gateway: undefined,
  cheroot: 'Cheroot',
  uvicorn: 'uvicorn',
  granian: 'Granian',
  hypercorn: 'Hypercorn',
  daphne: 'Daphne',
  node: undefined,
  command: undefined,
  none: undefined,
};

function describeWorkers(
  { mode }: InstanceStatus,
  { server }: Pick<Project, 'server'>,
  { processes, threads }: Pick<BannerFacts, 'processes' | 'threads'>,
): string {
  const withThreads = isThreaded(server) ? ` with ${threads} threads` : '';
  if (mode === 'single') return `single process${withThreads}`;
  return `cluster of ${processes} processes${withThreads}${withThreads && ' each'}`;
}

function row(name: string, text: string | undefined): readonly Row[] {
  return text === undefined ? [] : [[name, text]];
}

/**
 * The names of ALLOWED_HOSTS, where Django refuses the very address that the banner shows: a new site would seem to be broken.
 * With DEBUG an empty list means this machine (HttpRequest.get_host); without DEBUG it has a finding of its own (check/).
 */
function otherNames(urls: readonly string[], allowedHosts: readonly string[]): string | undefined {
  if (allowedHosts.length === 0) return undefined;
  if (urls.every((url) => isAllowedHost(new URL(url).hostname, allowedHosts))) return undefined;
  return `${allowedHosts.join(', ')} (ALLOWED_HOSTS; Django answers any other name with 400)`;
}

/** The last space that leaves a line which fits; else the first one at all. -1: one long word. */
function findBreak(text: string, indent: number, columns: number): number {
  const last = text.lastIndexOf(' ', columns);
  return last > indent ? last : text.indexOf(' ', indent + 1);
}
