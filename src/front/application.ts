import type { Log } from '../log/log.js';
import type { Settings } from '../settings/settings.js';
import type { Dispatcher } from '../upstream.js';
import { respondWithErrorPage } from './error-page.js';
import type { Exchange, Handler } from './exchange.js';
import { answerHandlerFailure } from './handler-failure.js';
import { refuseBody } from './refuse-body.js';
import { AnswerWriter } from './upstream/answer-writer.js';
import { AppRequest } from './upstream/app-request.js';
import { encodeEnviron } from './upstream/environ.js';
import { encodeToLatin1 } from './upstream/percent.js';
import {
  announcedBytes,
  BodyRefused,
  type BodySpool,
  type RequestBody,
  readBody,
} from './upstream/request-body.js';

export interface ApplicationOptions {
  readonly dispatcher: Dispatcher<AppRequest>;
  readonly spool: BodySpool;
  readonly settings: Settings;
  readonly log: Log;
}

const noBody: RequestBody = { kind: 'none' };

/** The last handler of the pipeline: reads the body, then hands the request to the pool. */
export function serveApplication(options: ApplicationOptions): Handler {
  const { settings } = options;
  return (exchange) => {
    const length = announcedBytes(exchange.request);
    if (length === 0) dispatch(exchange, noBody, options);
    else if (length !== undefined && length > settings.maxBodyBytes)
      refuseBody(exchange, new BodyRefused('too-large'), options);
    else if (length !== undefined && isStreamed(exchange, settings)) {
      const { bodyIdleTimeoutMs: idleTimeoutMs } = settings;
      sendContinue(exchange);
      dispatch(exchange, { kind: 'streamed', source: exchange.request, length, idleTimeoutMs }, options);
    } else {
      readThenDispatch(exchange, options).catch((error: unknown) =>
        answerHandlerFailure(exchange, error, options.log),
      );
    }
    return true;
  };
}

// Private

/** Not asked for chunked bodies: frameworks, Django among them, read nothing where no Content-Length is known. */
function isStreamed(exchange: Exchange, { streamUploads }: Settings): boolean {
  return streamUploads.some((prefix) => exchange.path.startsWith(prefix));
}

async function readThenDispatch(exchange: Exchange, options: ApplicationOptions): Promise<void> {
  sendContinue(exchange);
  let body: RequestBody;
  try {
    body = await readBody(exchange.request, options.settings, options.spool);
  } catch (error) {
    if (!(error instanceof BodyRefused)) throw error;
    refuseBody(exchange, error, options);
    return;
  }
  if (exchange.response.destroyed) await options.spool.release(body);
  else dispatch(exchange, body, options);
}

function dispatch(exchange: Exchange, body: RequestBody, options: ApplicationOptions): void {
  const { settings } = options;
  const head = encodeEnviron(exchange, {
    scriptName: encodeToLatin1(settings.scriptName),
    contentLength: lengthOf(exchange, body),
  });
  if (head === undefined) {
    void options.spool.release(body);
    respondWithErrorPage(exchange, 400, 'The address of this page is malformed.');
    return;
  }
  const writer = new AnswerWriter(exchange, settings, options.log);
  options.dispatcher.dispatch(new AppRequest(exchange, head, body, writer, options.spool));
}

function lengthOf(exchange: Exchange, body: RequestBody): number | undefined {
  switch (body.kind) {
    case 'none':
      return exchange.request.headers['content-length'] === undefined ? undefined : 0;
    case 'memory':
      return body.bytes.length;
    default:
      return body.length;
  }
}

/** The front asks for the body only when it will read it; HTTP/1.0 knows no such question (RFC 9110 section 10.1.1). */
function sendContinue({ request, response }: Exchange): void {
  const { expect } = request.headers;
  if (expect?.toLowerCase() === '100-continue' && request.httpVersion !== '1.0') response.writeContinue();
}
