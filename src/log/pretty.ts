import { type ApplicationSource, type LineFormat, roundToTenth } from './line-format.js';
import type { AccessRecord } from './log.js';
import { type Paint, paint } from './paint.js';
import { visibleJson, visibleText } from './visible-text.js';

/** Below the record: under its message. */
const indentation = ' '.repeat(17);

/**
 * Lines for people, in the local time of the machine:
 *
 *   12:03:44  info   reload      the new release serves  generation=2
 *   12:03:44  200    GET /path  1.2 kB  3.4 ms  127.0.0.1  4f1a
 *   12:03:44  app    4711  what the application wrote
 *
 * `hint` and the lines of `detail` (a traceback) stand below their record. Fields of the whole log are not repeated
 * on access and application lines, nor is on an event what its message says already.
 */
export class PrettyLines implements LineFormat {
  readonly #isColoured: boolean;
  readonly #pid: number;

  /** `pid` is that of this process: it is not shown, any other one is. */
  constructor(options: { colour: boolean; pid: number }) {
    this.#isColoured = options.colour;
    this.#pid = options.pid;
  }

  event(json: string): string {
    const { level, time, event, msg, hint, detail, ...fields } = JSON.parse(json) as Record<string, unknown>;
    if (fields.pid === this.#pid) delete fields.pid;
    const line = [
      this.#time(new Date(String(time))),
      this.#paint(visibleText(String(level)).padEnd(5), levelColour(level)),
      visibleText(String(event)).padEnd(10),
      visibleText(String(msg)),
      ...Object.entries(fields)
        .filter(([, value]) => !isSaid(value, String(msg)))
        .map(([name, value]) => this.#field(name, value)),
    ];
    const below = [...(hint === undefined ? [] : [`hint: ${hint}`]), ...linesOf(detail)];
    return [line.join('  ').trimEnd(), ...below.map((each) => `${indentation}${visibleText(each)}`), ''].join(
      '\n',
    );
  }

  /** `time`: of a record that was written earlier. */
  access(record: AccessRecord, time = new Date()): string {
    const status = this.#paint(String(record.status).padEnd(5), statusColour(record.status));
    const request = `${visibleText(record.method)} ${visibleText(record.path)}`;
    const cut = record.cut === undefined ? '' : `, cut by the ${record.cut}`;
    const measured = `${formatBytes(record.bytes)}${cut}  ${formatDuration(record.durationMs)}`;
    const origin = this.#paint(`${visibleText(record.client)}  ${visibleText(record.requestId)}`, 'dim');
    return `${this.#time(time)}  ${status}  ${request}  ${measured}  ${origin}\n`;
  }

  application(line: string, source: ApplicationSource, time = new Date()): string {
    return `${this.#time(time)}  ${this.#paint('app  ', 'cyan')}  ${source.pid}  ${visibleText(line)}\n`;
  }

  with(): PrettyLines {
    return this;
  }

  #time(time: Date): string {
    const parts = [time.getHours(), time.getMinutes(), time.getSeconds()];
    return this.#paint(parts.map((part) => String(part).padStart(2, '0')).join(':'), 'dim');
  }

  #field(name: string, value: unknown): string {
    const isBareWord = typeof value === 'string' && /^[^\s"=]+$/.test(value);
    const text = isBareWord ? visibleText(value) : visibleJson(JSON.stringify(value));
    return `${this.#paint(`${visibleText(name)}=`, 'dim')}${text}`;
  }

  #paint(text: string, colour: Paint | undefined): string {
    return colour === undefined ? text : paint(this.#isColoured, colour, text);
  }
}

/** Whether the message contains the value as a word, or there is no value. */
function isSaid(value: unknown, message: string): boolean {
  if (value === null) return true;
  if (Array.isArray(value)) return value.length === 0;
  if (typeof value !== 'number' && typeof value !== 'string') return false;
  const text = String(value);
  const at = text === '' ? -1 : message.indexOf(text);
  if (at < 0) return false;
  return !/\w/.test(message[at - 1] ?? ' ') && !/\w/.test(message[at + text.length] ?? ' ');
}

function linesOf(detail: unknown): string[] {
  if (detail === undefined) return [];
  const text = typeof detail === 'string' ? detail : JSON.stringify(detail, undefined, 2);
  return text.trimEnd().split(/\r?\n/);
}

function levelColour(level: unknown): Paint | undefined {
  if (level === 'error') return 'red';
  if (level === 'warn') return 'yellow';
  return level === 'debug' ? 'dim' : undefined;
}

function statusColour(status: number): Paint | undefined {
  if (status >= 500) return 'red';
  if (status >= 400) return 'yellow';
  return status >= 200 && status < 300 ? 'green' : undefined;
}

/** SI units: 1.2 kB is 1,200 bytes. */
export function formatBytes(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  const units = ['kB', 'MB', 'GB', 'TB'];
  let value = bytes / 1000;
  let unit = 0;
  // From 999.95 on one decimal would read 1000.0.
  while (value >= 999.95 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${value.toFixed(1)} ${units[unit]}`;
}

export function formatDuration(durationMs: number): string {
  return durationMs < 999.95 ? `${roundToTenth(durationMs)} ms` : `${(durationMs / 1000).toFixed(1)} s`;
}
