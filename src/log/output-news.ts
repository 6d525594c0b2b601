import type { LogStream } from './line-batch.js';
import type { Log } from './log.js';
import type { Output, OutputNews } from './output.js';

/** Says in the log what becomes of the streams that it is written to: to the one that still works, and to `easyserve logs`. */
export function tellNews(log: Log, outputs: Readonly<Record<LogStream, Pick<Output, 'onNews'>>>): void {
  const { stdout, stderr } = outputs;
  if (stdout === stderr) stdout.onNews((news) => tell(log, news, 'the log'));
  else {
    stdout.onNews((news) => tell(log, news, 'stdout'));
    stderr.onNews((news) => tell(log, news, 'stderr'));
  }
}

/** `no space left on device`, of an error as Node makes it: `ENOSPC: no space left on device, write`. */
export function systemReason(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return /^E[A-Z0-9]+: (.*?)(, \w+.*)?$/.exec(message)?.[1] ?? message;
}

// Private

function tell(log: Log, news: OutputNews, what: string): void {
  switch (news.kind) {
    case 'failed': {
      const reason = systemReason(news.error);
      log.error('log-failed', `${what} cannot be written (${reason}): the site serves on, lines are lost`, {
        error: reason,
        code: news.error.code,
      });
      return;
    }
    case 'recovered':
      log.warn('log-recovered', `${what} can be written again: ${linesOf(news.lostLines)} lost`, {
        count: news.lostLines,
      });
      return;
    case 'caught-up':
      log.warn('lines-lost', `${linesOf(news.lostLines)} left out of ${what}: nobody read them`, {
        count: news.lostLines,
      });
      return;
    case 'closed':
  }
}

function linesOf(count: number): string {
  return count === 1 ? '1 line was' : `${count} lines were`;
}
