import type { HeaderList } from '../exchange.js';
import { hopByHopHeaders } from '../hop-by-hop.js';

/** Status and headers of an application's answer, read from the head of a frame. */
export interface AnswerHead {
  readonly status: number;
  readonly reason: string;
  /** Without what belongs to the connection, and without Content-Length and the sendfile headers. */
  readonly headers: HeaderList;
  readonly contentLength: number | undefined;
  /** X-Request-ID, where it is harmless in a header and a log. */
  readonly requestId: string | undefined;
  /** X-Sendfile: an absolute path. */
  readonly sendfile: string | undefined;
  /** X-Accel-Redirect: an internal URL path. */
  readonly accelRedirect: string | undefined;
}

const STATUS_LINE = /^([2-9]\d\d)(?: (.*))?$/;
const REQUEST_ID = /^[\x21-\x7e]{1,200}$/;
const LENGTH = /^\d+$/;

/**
 * Throws on a status line or a Content-Length that is none; what is wrong with other headers Node finds out.
 * `takesSendfile`: the headers that name a file are instructions to the front.
 */
export function parseAnswerHead(head: string, { takesSendfile }: { takesSendfile: boolean }): AnswerHead {
  const fields = head.split('\0');
  const statusLine = fields[0] as string;
  const match = STATUS_LINE.exec(statusLine);
  if (match === null) throw new Error(`status ${JSON.stringify(statusLine)}`);
  const headers: string[] = [];
  let contentLength: number | undefined;
  let requestId: string | undefined;
  let sendfile: string | undefined;
  let accelRedirect: string | undefined;
  for (let at = 1; at < fields.length; at += 2) {
    const name = fields[at] as string;
    const value = fields[at + 1] as string;
    const lower = name.toLowerCase();
    if (lower === 'content-length') {
      if (!LENGTH.test(value)) throw new Error(`Content-Length ${JSON.stringify(value)}`);
      contentLength = Number(value);
    } else if (takesSendfile && lower === 'x-sendfile') sendfile = value;
    else if (takesSendfile && lower === 'x-accel-redirect') accelRedirect = value;
    else if (lower === 'x-request-id') requestId = REQUEST_ID.test(value) ? value : undefined;
    else if (!hopByHopHeaders.has(lower)) headers.push(name, value);
  }
  const [, status, reason = ''] = match;
  return { status: Number(status), reason, headers, contentLength, requestId, sendfile, accelRedirect };
}

/** Whether an answer of this status has no body, whatever the application sends (RFC 9110 section 6.4.1). */
export function isBodiless(status: number): boolean {
  return status === 204 || status === 304;
}
