import type {
  ClientHttp2Session,
  ClientHttp2Stream,
  IncomingHttpHeaders,
  IncomingHttpStatusHeader,
  OutgoingHttpHeaders,
} from 'node:http2';
import { withDeadline } from './with-deadline.js';

export interface Http2Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly text: string;
  /** How the stream ended (RFC 9113 section 7): 0 for an answer that is whole. */
  readonly code: number;
  /** Of the interim answers, in their order. */
  readonly interim: readonly (IncomingHttpHeaders & IncomingHttpStatusHeader)[];
}

/** Sends one request, and gives what came of it when its stream is closed, whole or not. */
export async function askHttp2(
  session: ClientHttp2Session,
  headers: OutgoingHttpHeaders | string,
  body?: string | Uint8Array,
): Promise<Http2Answer> {
  const head = typeof headers === 'string' ? { ':path': headers } : headers;
  const stream = session.request(head, { endStream: body === undefined });
  if (body !== undefined) stream.end(body);
  return await answerOf(stream);
}

/** What comes of a request that has been sent. */
export async function answerOf(stream: ClientHttp2Stream): Promise<Http2Answer> {
  const interim: (IncomingHttpHeaders & IncomingHttpStatusHeader)[] = [];
  const pieces: Buffer[] = [];
  let head: IncomingHttpHeaders & IncomingHttpStatusHeader = {};
  stream.on('headers', (each) => interim.push(each));
  stream.on('response', (each) => {
    head = each;
  });
  stream.on('data', (piece) => pieces.push(piece));
  stream.on('error', () => {}); // the code tells
  const closed = new Promise<void>((resolve) => stream.once('close', resolve));
  await withDeadline(closed, 20_000, () => `no end of the answer; status ${head[':status']}`);
  const whole = Buffer.concat(pieces);
  const status = Number(head[':status'] ?? 0);
  return { status, headers: head, body: whole, text: whole.toString(), code: stream.rstCode ?? 0, interim };
}
