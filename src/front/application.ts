import type { Clock } from '../contracts/clock.js';
import type { Dispatcher, UpstreamAddress } from '../contracts/upstream.js';
import type { Log } from '../log/log.js';
import type { Affinity } from '../project/affinity.js';
import type { Settings } from '../settings/settings.js';
import type { Spool } from './buffers/spool.js';
import { answerHandlerFailure, respondWithErrorPage } from './error-page.js';
import type { Exchange, Handler, RespondOptions } from './exchange.js';
import { AnswerWriter } from './upstream/answer-writer.js';
import { AppRequest } from './upstream/app-request.js';
import { BodyPace } from './upstream/body-pace.js';
import { EnvironEncoder } from './upstream/environ.js';
import { announcedBytes, BodyRefused, type RequestBody, readBody } from './upstream/request-body.js';
import { UploadPlaces } from './upstream/upload-places.js';

/** How the application takes requests, which the kind of its server decides, and what it decides by itself. */
export interface ApplicationNeeds {
  readonly protocol: UpstreamAddress['protocol'];
  /**
   * Request bodies are read whole first, because a thread of the application would wait for them; else they are passed on as they
   * come.
   */
  readonly readsBodiesFirst: boolean;
  /** Of its places, how many may be taken by uploads that still come. */
  readonly uploadPlaces: number;
  /** What has no X-Frame-Options is meant to have none. */
  readonly decidesFraming: boolean;
  /** Sessions that need the same process. */
  readonly affinity?: Affinity | undefined;
}

export interface ApplicationOptions {
  readonly needs: ApplicationNeeds;
  readonly dispatcher: Dispatcher<AppRequest>;
  readonly spool: Spool;
  readonly clock: Clock;
  readonly settings: Settings;
  readonly log: Log;
}

/** With what is made once for all requests. */
interface Context extends ApplicationOptions {
  readonly environs: EnvironEncoder;
  readonly uploadPlaces: UploadPlaces;
}

const noBody: RequestBody = { kind: 'none' };

/** The last handler of the pipeline: reads the body, then hands the request to the pool. */
export function serveApplication(options: ApplicationOptions): Handler {
  const { settings } = options;
  const context: Context = {
    ...options,
    environs: new EnvironEncoder(settings.scriptName),
    uploadPlaces: new UploadPlaces(options.needs.uploadPlaces),
  };
  return (exchange) => {
    if (exchange.isUpgrade) {
      dispatch(exchange, noBody, context);
      return true;
    }
    const length = announcedBytes(exchange.request);
    if (length === 0) dispatch(exchange, noBody, context);
    else if (length !== undefined && length > settings.maxBodyBytes)
      refuseBody(exchange, new BodyRefused('too-large'), options);
    else if (isStreamed(exchange, length, options) && context.uploadPlaces.take(exchange)) {
      sendContinue(exchange);
      dispatch(exchange, streamedBody(exchange, length, context), context);
    } else if (length !== undefined && !hasRoomFor(length, options))
      refuseBody(exchange, new BodyRefused('spool-full'), options);
    else {
      readThenDispatch(exchange, context).catch((error: unknown) =>
        answerHandlerFailure(exchange, error, options.log),
      );
    }
    return true;
  };
}

// Private

/** A gateway gets no chunked bodies: frameworks, Django among them, read nothing where no Content-Length is known. */
function isStreamed(
  { path }: Exchange,
  length: number | undefined,
  { needs, settings }: ApplicationOptions,
): boolean {
  if (!needs.readsBodiesFirst) return true;
  return length !== undefined && settings.streamUploads.some((prefix) => path.startsWith(prefix));
}

function streamedBody({ request }: Exchange, length: number | undefined, context: Context): RequestBody {
  const { bodyIdleTimeoutMs: idleTimeoutMs, maxBodyBytes: maxBytes } = context.settings;
  return { kind: 'streamed', source: request, length, idleTimeoutMs, maxBytes, pace: paceOf(context) };
}

/** A body that can't fit is refused before a byte of it has been read. */
function hasRoomFor(length: number, { settings, spool }: ApplicationOptions): boolean {
  return length <= settings.bodyMemoryBytes || length <= spool.budget.diskBytesLeft;
}

function paceOf({ clock, settings }: ApplicationOptions): BodyPace {
  return new BodyPace(clock, {
    graceMs: settings.bodyIdleTimeoutMs,
    minBytesPerSecond: settings.minBodyBytesPerSecond,
  });
}

async function readThenDispatch(exchange: Exchange, context: Context): Promise<void> {
  sendContinue(exchange);
  let body: RequestBody;
  try {
    const { settings, spool } = context;
    body = await readBody(exchange.request, settings, { spool, pace: paceOf(context) });
  } catch (error) {
    if (!(error instanceof BodyRefused)) throw error;
    refuseBody(exchange, error, context);
    return;
  }
  if (exchange.response.destroyed) await context.spool.release(body);
  else dispatch(exchange, body, context);
}

function dispatch(exchange: Exchange, body: RequestBody, context: Context): void {
  const { spool, needs, environs } = context;
  const writer = new AnswerWriter(exchange, context);
  const request = new AppRequest({ exchange, body, writer, spool, environs, affinity: needs.affinity });
  const head = needs.protocol === 'gateway' ? request.environ : request.headers;
  if (head === undefined) {
    void spool.release(body);
    respondWithErrorPage(exchange, 400, 'The address of this page is malformed.');
    return;
  }
  context.dispatcher.dispatch(request);
}

/** The client is asked for the body only when it will be read; HTTP/1.0 has no 100 Continue (RFC 9110 section 10.1.1). */
function sendContinue({ request, response }: Exchange): void {
  const { expect } = request.headers;
  if (expect?.toLowerCase() === '100-continue' && request.httpVersion !== '1.0') response.writeContinue();
}

/** Answers a request whose body is not taken, and ends its connection. */
function refuseBody(exchange: Exchange, refusal: BodyRefused, options: ApplicationOptions): void {
  const refuse = (status: number, sentence: string, more?: RespondOptions) =>
    respondWithErrorPage(exchange, status, sentence, { headers: ['Connection', 'close'], ...more });
  switch (refusal.reason) {
    case 'cut':
      return; // the client has gone
    case 'too-slow':
      refuse(408, 'Your request came in too slowly.');
      return;
    case 'too-large':
      refuse(413, `What you sent is larger than this site accepts (${describeLimit(options.settings)}).`, {
        drainsRequest: true,
      });
      return;
    case 'spool-full':
      options.log.warn('spool-full', 'a request body found no room in the spool folder', {
        requestId: exchange.id,
        takenBytes: options.spool.budget.diskBytes,
      });
      refuse(507, 'The site has no room for what you sent.', { drainsRequest: true });
      return;
    case 'no-space':
      options.log.error('spool-failed', 'a request body could not be written to the spool folder', {
        requestId: exchange.id,
        error: String(refusal.cause),
      });
      refuse(507, 'The site has no room for what you sent.', { drainsRequest: true });
  }
}

function describeLimit({ maxBodyBytes }: Settings): string {
  const kibibytes = Math.floor(maxBodyBytes / 1024);
  return kibibytes < 1024 ? `${kibibytes} KiB` : `${Math.floor(kibibytes / 1024)} MiB`;
}
