import type { Release } from '../app/pool/release.js';
import type { InstanceStatus } from '../contracts/status.js';
import type { Output } from '../log/output.js';
import { type BannerFacts, renderBanner } from './banner.js';
import type { InstanceOutput } from './instance-output.js';

export interface Announcement {
  readonly status: InstanceStatus;
  readonly release: Release;
  readonly typed: BannerFacts['typed'];
  readonly stdout: Output;
}

/** Tells that the site is up: with a banner for people, a record for programs. */
export function announce({ status, release, typed, stdout }: Announcement, output: InstanceOutput): void {
  const { project, plan, file } = release;
  const { processes, threads, advice } = plan;
  if (output.format === 'pretty') {
    const facts = { status, project, typed, threads, processes, settingsFile: file, advice, stdout };
    output.takeLines(renderBanner(facts), 'stdout');
    return;
  }
  const { mode, urls, generation, reason } = status;
  const fields = { url: urls[0], urls, mode, reason, generation, processes, threads };
  output.log.info('ready', 'the site is up', fields);
  if (advice !== undefined) output.log.info('advice', advice);
}
