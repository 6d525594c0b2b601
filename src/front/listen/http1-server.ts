import http, { type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Clock } from '../../contracts/clock.js';
import type { Log } from '../../log/log.js';
import type { Settings } from '../../settings/settings.js';
import type { ChunkLimits } from './chunked-body.js';
import { ClientErrors, refuseTunnel } from './client-error.js';
import { cutWhenSilent } from './half-close.js';
import { Pipelines, whenItsTurn } from './pipelines.js';
import { endWithRefusal } from './refuse-request.js';
import { RequestLines } from './request-lines.js';
import { type Refusal, type RequestRules, refusalOfLine, takeHostFromTarget } from './request-rules.js';
import { takeUpgrade } from './upgrade.js';

/** How often Node looks for connections beyond their limits; with its default, slow headers may take 30 s longer. */
const CHECK_MS = 1000;

export type OnHttp1Request = (request: IncomingMessage, response: ServerResponse, isUpgrade: boolean) => void;

export interface Http1ServerOptions {
  /** Asked anew at each use, but for what applyLimits sets. */
  readonly settings: () => Settings;
  readonly clock: Clock;
  readonly rules: RequestRules;
  readonly onRequest: OnHttp1Request;
  readonly log: Log;
}

/** A server of HTTP/1 that has not been told where to listen. */
export function createHttp1Server({ settings, clock, rules, onRequest, log }: Http1ServerOptions): Server {
  const server = createParser();
  applyLimits(server, settings());
  const clientErrors = new ClientErrors(log);
  const gate = new RequestGate(rules, clientErrors, settings);
  server.on('clientError', (error, socket) => {
    gate.leave(socket as Socket);
    clientErrors.answer(error, socket as Socket);
  });
  server.on('connection', (socket: Socket) => {
    gate.watch(socket);
    cutWhenSilent(socket, clock, () => settings().halfCloseTimeoutMs);
  });
  const pipelines = new Pipelines((socket) => gate.close(socket));
  const take = (request: IncomingMessage, response: ServerResponse): void =>
    gate.admit(request, (refusal) => {
      if (refusal !== undefined) whenItsTurn(response, () => refuse(request, refusal));
      else
        pipelines.take(request, response, settings().maxPipelinedRequests, () =>
          onRequest(request, response, false),
        );
    });
  server.on('request', take);
  // Without these two Node answers by itself, before anyone has looked at the request.
  server.on('checkContinue', take);
  server.on('checkExpectation', take);
  server.on('connect', (_request, socket) => {
    gate.leave(socket as Socket);
    refuseTunnel(socket as Socket);
  });
  server.on('upgrade', (request, socket: Socket, head) =>
    gate.admit(request, (refusal) => {
      gate.leave(socket);
      takeUpgrade(server, { request, socket, head, refusal }, (response) =>
        onRequest(request, response, true),
      );
    }),
  );
  return server;
}

export function applyLimits(server: Server, settings: Settings): void {
  server.headersTimeout = settings.headerTimeoutMs;
  server.keepAliveTimeout = settings.keepAliveTimeoutMs;
  // An option that Node reads anew for each connection; its types know it as a parameter of createServer only.
  Object.assign(server, { maxHeaderSize: settings.maxHeaderBytes });
}

// Private

/** Node's server, with what it would decide by itself left to us. */
function createParser(): Server {
  const server = http.createServer({
    ...{ requestTimeout: 0, connectionsCheckingInterval: CHECK_MS },
    requireHostHeader: false, // so that all refusals look the same
  });
  // Node would drop what goes beyond, without a word: a Content-Length, or the last X-Forwarded-For. RequestRules counts them, and
  // maxHeaderBytes bounds them.
  server.maxHeadersCount = 0;
  // Else Node would end a connection, with the answer under way, whose client has sent all that it wants to and says so.
  return Object.assign(server, { httpAllowHalfOpen: true });
}

function refuse(request: IncomingMessage, refusal: Refusal): void {
  request.resume();
  endWithRefusal(request.socket, refusal, { isHead: request.method === 'HEAD' });
}

/** Where every request of HTTP/1 comes by, upgrades included, before anything is done for it. */
class RequestGate {
  readonly #rules: RequestRules;
  readonly #clientErrors: ClientErrors;
  readonly #limits: () => ChunkLimits;
  readonly #lines = new WeakMap<Socket, RequestLines>();

  constructor(rules: RequestRules, clientErrors: ClientErrors, limits: () => ChunkLimits) {
    this.#rules = rules;
    this.#clientErrors = clientErrors;
    this.#limits = limits;
  }

  watch(socket: Socket): void {
    const onRefusal = (refusal: Refusal): void => {
      this.#cutOff(socket);
      this.#clientErrors.refuse(socket, refusal, 'REFUSED');
    };
    this.#lines.set(socket, new RequestLines(socket, { limits: this.#limits, onRefusal }));
  }

  /** The connection is no longer one of HTTP/1, is to begin anew, or no more of it is looked at. */
  leave(socket: Socket): void {
    this.#lines.get(socket)?.stop();
    this.#lines.delete(socket);
  }

  /** Calls back, with the refusal if there is one; not for what comes behind a refused request on its connection. */
  admit(request: IncomingMessage, callback: (refusal: Refusal | undefined) => void): void {
    const { socket, httpVersion } = request;
    if (this.#clientErrors.isCondemned(socket)) return;
    const lines = this.#lines.get(socket);
    const isExact = lines?.isExact(request) ?? true;
    const refusal =
      refusalOfLine(httpVersion, isExact) ?? this.#rules.refusalOf(request) ?? lines?.bodyRefusal;
    if (refusal === undefined) takeHostFromTarget(request);
    else this.close(socket);
    callback(refusal);
  }

  /** No more requests of this connection are taken; those before have their answers. */
  close(socket: Socket): void {
    this.#cutOff(socket);
    this.#clientErrors.condemn(socket);
  }

  // Private

  /**
   * Takes the connection from Node's parser, and drops what comes: it would make a request and a response of each line that a client
   * goes on sending, and keep them until the connection is closed.
   */
  #cutOff(socket: Socket): void {
    this.leave(socket);
    socket.removeAllListeners('data');
    socket.resume();
  }
}
