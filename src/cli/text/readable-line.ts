import type { AccessRecord } from '../../log/log.js';
import type { Output } from '../../log/output.js';
import { PrettyLines } from '../../log/pretty.js';

/** Colours of the pretty format; any other control character in it is escaped. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: the sequences begin with ESC (ECMA-48 section 8.3.117).
const colours = /\u001b\[\d+m/g;

/**
 * A line of the instance's log as its reader sees it: on a terminal, a record of the JSON format becomes a pretty one. Colours
 * are those of the reader, whatever the terminal of the instance shows.
 */
export function readableLine(
  line: string,
  { isTerminal, colour }: Pick<Output, 'isTerminal' | 'colour'>,
): string {
  const record = isTerminal ? parseRecord(line) : undefined;
  if (record === undefined) return colour ? line : line.replace(colours, '');
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
    return typeof record.event === 'string' ? record : undefined;
  } catch {
    return undefined; // the part of a very long line
  }
}

function render(pretty: PrettyLines, line: string, record: LogRecord, time: Date): string {
  if (record.event === 'access') return pretty.access(record as unknown as AccessRecord, time);
  if (record.event !== 'application') return pretty.event(line);
  const stream = record.stream === 'stderr' ? 'stderr' : 'stdout';
  return pretty.application(String(record.msg), { pid: Number(record.app), stream }, time);
}
