import { type ApplicationSource, type LineFormat, roundToTenth } from './line-format.js';
import type { AccessRecord, LogFields } from './log.js';
import { jsonText, visibleJson } from './visible-text.js';

/**
 * One JSON object a line, for programs. The fields are listed in docs/logs.md.
 *
 * Access and application lines are put together by hand: they are written for each request, and this takes about
 * a quarter of the time that pino needs (measured with Node 20).
 */
export class JsonLines implements LineFormat {
  readonly #fields: LogFields;
  readonly #access: string;
  readonly #application: string;
  #timeMs = 0;
  #beginning = '';

  /** `fields` stand in each record; those of events come in by pino. */
  constructor(fields: LogFields) {
    this.#fields = fields;
    this.#access = membersOf({ ...fields, event: 'access' });
    this.#application = membersOf({ ...fields, event: 'application' });
  }

  event(json: string): string {
    return `${visibleJson(json.trimEnd())}\n`;
  }

  access(record: AccessRecord): string {
    const { applicationRequestId: own } = record;
    const ownId = own === undefined ? '' : `,"applicationRequestId":${jsonText(own)}`;
    const cut = record.cut === undefined ? '' : `,"cut":"${record.cut}"`;
    return `${this.#begin()}${this.#access},"method":${jsonText(record.method)},"path":${jsonText(record.path)},"status":${record.status},"bytes":${record.bytes},"durationMs":${roundToTenth(record.durationMs)},"requestId":${jsonText(record.requestId)}${ownId},"client":${jsonText(record.client)}${cut}}\n`;
  }

  application(line: string, source: ApplicationSource): string {
    return `${this.#begin()}${this.#application},"stream":"${source.stream}","app":${source.pid},"msg":${jsonText(line)}}\n`;
  }

  with(fields: LogFields): JsonLines {
    return new JsonLines({ ...this.#fields, ...fields });
  }

  /** Many records share a millisecond, and the text of a time costs more than the rest of the record. */
  #begin(): string {
    const now = Date.now();
    if (now !== this.#timeMs) {
      this.#timeMs = now;
      this.#beginning = `{"level":"info","time":"${new Date(now).toISOString()}",`;
    }
    return this.#beginning;
  }
}

function membersOf(fields: LogFields): string {
  return visibleJson(JSON.stringify(fields).slice(1, -1));
}
