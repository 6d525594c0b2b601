import type { AccessRecord } from '../../log/log.js';
import type { Output } from '../../log/output.js';
import { PrettyLines } from '../../log/pretty.js';
import { visibleColoured, visibleText } from '../../log/visible-text.js';

/**
 * A line of the instance's log as its reader sees it: on a terminal, a record of the JSON format becomes a pretty one. Colours
 * are those of the reader, whatever the terminal of the instance shows; they are easyserve's own, those of an application are
 * dropped. The line came through a socket of another user perhaps: nothing in it moves a cursor or begins another line.
 */
export function readableLine(
  line: string,
  { isTerminal, colour }: Pick<Output, 'isTerminal' | 'colour'>,
): string {
  const record = isTerminal ? parseRecord(line) : undefined;
  if (record === undefined) return colour ? visibleColoured(line) : visibleText(line);
  // Which process of easyserve wrote it matters to programs only.
  const pretty = new PrettyLines({ colour, pid: Number(record.pid) });
  const time = new Date(String(record.time));
  return render(pretty, line, record, time).trimEnd();
}

type LogRecord = Readonly<Record<string, unknown>>;

/** Every record of the JSON format begins with its level, and has an event. */
function parseRecord(line: string): LogRecord | undefined {
  if (!line.startsWith('{"level":')) return undefined;
  try {
    const record = JSON.parse(line) as LogRecord;
    return isWhole(record) ? record : undefined;
  } catch {
    return undefined; // the part of a very long line
  }
}

function isWhole({ event, status, bytes, durationMs }: LogRecord): boolean {
  if (event !== 'access') return typeof event === 'string';
  return [status, bytes, durationMs].every((value) => typeof value === 'number');
}

function render(pretty: PrettyLines, line: string, record: LogRecord, time: Date): string {
  if (record.event === 'access') return pretty.access(record as unknown as AccessRecord, time);
  if (record.event !== 'application') return pretty.event(line);
  const stream = record.stream === 'stderr' ? 'stderr' : 'stdout';
  return pretty.application(String(record.msg), { pid: Number(record.app), stream }, time);
}
