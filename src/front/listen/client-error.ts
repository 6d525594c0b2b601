import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Log } from '../../log/log.js';
import { peerAddressOf } from '../client-message.js';
import { endWithRefusal } from './refuse-request.js';
import { type Refusal, refusals } from './request-rules.js';

const malformed: Refusal = { status: 400, sentence: 'This is no HTTP request.' };
const tunnel: Refusal = { status: 501, sentence: 'This server is no proxy.' };

/** By the code of Node's error. */
const refusalsByCode: Readonly<Record<string, Refusal>> = {
  HPE_HEADER_OVERFLOW: refusals.headerBytes,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: refusals.bodyBytes,
  HPE_INVALID_VERSION: refusals.version,
  ERR_HTTP_REQUEST_TIMEOUT: { status: 408, sentence: 'Your request came in too slowly.' },
};

/** A request line whose method alone is unknown to the parser (RFC 9110 sections 5.6.2 and 15.6.2). */
const REQUEST_LINE = /^[!#$%&'*+.^`|~\w-]+ [^\s]+ HTTP\/1\.[01]\r\n/;

/**
 * Answers bytes that are no request, and closes: what follows on such a connection can't be trusted. The listener of `clientError`
 * of one server (Node documentation, http.Server).
 */
export class ClientErrors {
  readonly #log: Log;
  /** Connections that end with the answer that is under way on them. */
  readonly #condemned = new WeakSet<Socket>();

  constructor(log: Log) {
    this.#log = log;
  }

  /** Nothing more of this connection is looked at; the answer that is under way, or comes now, is its last. */
  condemn(socket: Socket): void {
    this.#condemned.add(socket);
  }

  isCondemned(socket: Socket): boolean {
    return this.#condemned.has(socket);
  }

  answer(error: NodeJS.ErrnoException & { rawPacket?: Buffer }, socket: Socket): void {
    const code = error.code ?? '';
    if (code === 'ECONNRESET') socket.destroy();
    this.refuse(
      socket,
      refusalsByCode[code] ?? (isOfUnknownMethod(error) ? refusals.method : malformed),
      code,
    );
  }

  /** `code` says in the log what was found. */
  refuse(socket: Socket, refusal: Refusal, code: string): void {
    // Node goes on parsing, so the same error comes again with each piece that arrives.
    if (this.#condemned.has(socket)) return;
    if (!socket.writable) {
      socket.destroy();
      return;
    }
    this.#condemned.add(socket);
    const client = peerAddressOf(socket).address;
    this.#log.debug('client-error', 'a client sent what is no HTTP request', { client, code });
    refuse(socket, refusal);
  }
}

/** Refuses CONNECT, because this is no proxy. Without a listener of `connect` Node closes the connection unanswered. */
export function refuseTunnel(socket: Socket): void {
  socket.on('error', () => {}); // Node has taken its own listeners off; a client may leave
  refuse(socket, tunnel);
}

// Private

function isOfUnknownMethod({ code, rawPacket }: NodeJS.ErrnoException & { rawPacket?: Buffer }): boolean {
  return code === 'HPE_INVALID_METHOD' && REQUEST_LINE.test(rawPacket?.toString('latin1') ?? '');
}

function refuse(socket: Socket, refusal: Refusal): void {
  const pending = pendingResponse(socket);
  if (pending?.req.complete) closeAfter(pending, socket);
  else if (pending?.headersSent) socket.destroy();
  else endWithRefusal(socket, refusal);
}

/** The request before the bad bytes was whole: a refusal now would pass for its answer. */
function closeAfter(response: ServerResponse, socket: Socket): void {
  response.shouldKeepAlive = false;
  response.once('finish', () => socket.destroySoon());
}

/** The response whose turn it is. Node keeps it here; its own default listener of `clientError` looks at the same field. */
export function pendingResponse(socket: Socket): ServerResponse<IncomingMessage> | undefined {
  return (socket as Socket & { _httpMessage?: ServerResponse | null })._httpMessage ?? undefined;
}
