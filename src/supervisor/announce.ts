import type { Release } from '../app/pool/release.js';
import type { InstanceStatus } from '../contracts/status.js';
import type { Log } from '../log/log.js';
import { renderBanner } from './banner.js';
import type { LaunchOptions } from './launcher.js';

export interface Announcement {
  readonly status: InstanceStatus;
  readonly release: Release;
  readonly options: Pick<LaunchOptions, 'stdout' | 'typed'>;
  readonly format: 'pretty' | 'json';
  readonly log: Log;
  /** Takes the banner. */
  readonly print: (text: string) => void;
}

/** Tells that the site is up: a banner for people, a record for programs. Called by launcher once. */
export function announce({ status, release, options, format, log, print }: Announcement): void {
  const { project, plan, file } = release;
  const { mode, urls, generation, reason } = status;
  const { processes, threads, advice } = plan;
  if (format === 'json') {
    log.info('ready', 'the site is up', {
      url: urls[0],
      urls,
      mode,
      reason,
      generation,
      processes,
      threads,
    });
    if (advice !== undefined) log.info('advice', advice);
    return;
  }
  const { typed, stdout } = options;
  print(renderBanner({ status, project, typed, threads, processes, settingsFile: file, advice, stdout }));
}
