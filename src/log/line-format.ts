import type { AccessRecord, LogFields } from './log.js';

/** Where a line of the application came from. */
export interface ApplicationSource {
  readonly pid: number;
  readonly stream: 'stdout' | 'stderr';
}

/** How records become text. Each answer is a whole number of lines, with the last newline. */
export interface LineFormat {
  /** `json` is the record as pino wrote it, with its newline. */
  event(json: string): string;
  access(record: AccessRecord): string;
  application(line: string, source: ApplicationSource): string;
  /** The same with fields added to each access and application record. */
  with(fields: LogFields): LineFormat;
}

export function roundToTenth(number: number): number {
  return Math.round(number * 10) / 10;
}
