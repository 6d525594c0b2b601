import http, { type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Log } from '../../log/log.js';
import type { Settings } from '../../settings/settings.js';
import { ClientErrors, refuseTunnel } from './client-error.js';
import { takeUpgrade } from './upgrade.js';

/** How often Node looks for connections beyond their limits; with its default, slow headers may take 30 s longer. */
const CHECK_MS = 1000;

export type OnHttp1Request = (request: IncomingMessage, response: ServerResponse, isUpgrade: boolean) => void;

/** A server of HTTP/1 that has not been told where to listen. */
export function createHttp1Server(settings: Settings, onRequest: OnHttp1Request, log: Log): Server {
  const server = http.createServer({ requestTimeout: 0, connectionsCheckingInterval: CHECK_MS });
  applyLimits(server, settings);
  const take = (request: IncomingMessage, response: ServerResponse): void =>
    whenItsTurn(response, () => onRequest(request, response, false));
  server.on('request', take);
  // Without these two Node answers by itself, before anyone has looked at the request.
  server.on('checkContinue', take);
  server.on('checkExpectation', take);
  const clientErrors = new ClientErrors(log);
  server.on('clientError', (error, socket) => clientErrors.answer(error, socket as Socket));
  server.on('connect', (_request, socket) => refuseTunnel(socket as Socket));
  server.on('upgrade', (request, socket: Socket, head) =>
    takeUpgrade(server, { request, socket, head }, (response) => onRequest(request, response, true)),
  );
  return server;
}

export function applyLimits(server: Server, settings: Settings): void {
  server.headersTimeout = settings.headerTimeoutMs;
  server.keepAliveTimeout = settings.keepAliveTimeoutMs;
  // An option that Node reads anew for each connection; its types know it as a parameter of createServer only.
  Object.assign(server, { maxHeaderSize: settings.maxHeaderBytes });
}

/**
 * Calls back once the response may be written: at once, or, for a pipelined request, when the answers before
 * it are out. Nothing is to be done for a request before that.
 *
 * Node hands over pipelined requests at once, but their responses have no socket yet, and when the connection
 * breaks before they get one they never emit `close` (seen in Node 20): whatever waits for it would wait for ever.
 */
export function whenItsTurn(response: ServerResponse, callback: () => void): void {
  if (response.socket === null) response.once('socket', callback);
  else callback();
}
