import http, { type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Log } from '../../log/log.js';
import type { Settings } from '../../settings/settings.js';
import { ClientErrors, refuseTunnel } from './client-error.js';
import { Pipelines } from './pipelines.js';
import { takeUpgrade } from './upgrade.js';

/** How often Node looks for connections beyond their limits; with its default, slow headers may take 30 s longer. */
const CHECK_MS = 1000;

export type OnHttp1Request = (request: IncomingMessage, response: ServerResponse, isUpgrade: boolean) => void;

/** A server of HTTP/1 that has not been told where to listen. */
export function createHttp1Server(settings: () => Settings, onRequest: OnHttp1Request, log: Log): Server {
  const server = http.createServer({ requestTimeout: 0, connectionsCheckingInterval: CHECK_MS });
  applyLimits(server, settings());
  const pipelines = new Pipelines();
  const take = (request: IncomingMessage, response: ServerResponse): void =>
    pipelines.take(request, response, settings().maxPipelinedRequests, () =>
      onRequest(request, response, false),
    );
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
