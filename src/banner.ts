import { paint } from './log/paint.js';
import type { InstanceStatus } from './status.js';

export interface BannerFacts {
  readonly status: InstanceStatus;
  readonly djangoVersion: string | undefined;
  readonly pythonVersion: string;
  readonly pythonSource: string;
  readonly threads: number;
  readonly processes: number;
  readonly settingsFile: string | undefined;
  readonly advice: string | undefined;
  readonly hasColour: boolean;
}

/** What a person reads when the site is up: what was found, which mode and why, the URL, and what to type next. */
export function renderBanner(facts: BannerFacts): string {
  const { status } = facts;
  const kind = facts.djangoVersion === undefined ? 'WSGI' : `Django ${facts.djangoVersion}`;
  const workers =
    status.mode === 'single'
      ? `single process with ${facts.threads} threads`
      : `cluster of ${facts.processes} processes with ${facts.threads} threads each`;
  const rows: ReadonlyArray<readonly [string, string] | undefined> = [
    ['found', `${kind}, ${status.project.application} in ${status.project.root}`],
    ['python', `${facts.pythonVersion} from ${facts.pythonSource}`],
    facts.settingsFile === undefined ? undefined : ['settings', facts.settingsFile],
    ['mode', `${workers} (${status.reason})`],
    facts.advice === undefined ? undefined : ['', facts.advice],
    ['reload', 'easyserve reload, or kill -HUP'],
    ['stop', 'Ctrl-C, or easyserve stop'],
  ];
  const lines = rows.filter((row) => row !== undefined).map(([name, text]) => `  ${name.padEnd(10)}${text}`);
  const urls = paint(facts.hasColour, 'bold', status.urls.join(' '));
  return `\n  easyserve ${status.version} serves ${urls}\n\n${lines.join('\n')}\n\n`;
}
