import { autoOr, integer } from '../formats.js';
import { rateRules } from '../rate-rule.js';
import { defineSetting } from '../setting-definition.js';

export const limitSettings = {
  maxConnections: defineSetting({
    format: autoOr(integer(1, 1_000_000)),
    default: 'auto',
    doc: 'Connections of one front. When they are all there, idle ones are closed first, and then new ones get 503 over plain HTTP, 16 at a time, or are just closed. "auto": as many as the limit of open files allows, 16384 at most.',
    effect: 'live',
  }),
  maxConnectionsPerAddress: defineSetting({
    format: integer(0, 1_000_000),
    default: 512,
    doc: 'Connections of one front from one client address (IPv6: from one /64), trusted proxies excepted. Its idle ones are closed first, and then its new ones get 503. 0 for no limit.',
    effect: 'live',
  }),
  maxRequestsPerAddress: defineSetting({
    format: integer(0, 1_000_000),
    default: 500,
    doc: 'Requests from one client address (IPv6: from one /64) that may be at, or wait for, the application of one front; more get 503. 0 for no limit.',
    effect: 'live',
  }),
  maxUploadsPerAddress: defineSetting({
    format: integer(0, 1_000_000),
    default: 64,
    doc: 'Request bodies from one client address (IPv6: from one /64) that may be on their way to one front; more get 503. 0 for no limit.',
    effect: 'live',
  }),
  rateLimits: defineSetting({
    format: rateRules,
    default: [],
    doc: 'How often one client address (IPv6: one /64) may ask for what; more gets 429. `"login"` allows 10 POSTs a minute to login and password pages. A rule of your own: methods, path with `*`, count and unit (s, m, h), how many at once: `"POST|PUT /api/* 30/m burst 5"`. All fronts count together.',
    effect: 'live',
  }),
  maxPipelinedRequests: defineSetting({
    format: integer(0, 10_000),
    default: 64,
    doc: 'HTTP/1 requests that may wait on one connection for the answers before theirs; the next one gets 503, and the connection is closed.',
    effect: 'live',
  }),
  maxStreamsPerConnection: defineSetting({
    format: integer(1, 10_000),
    default: 128,
    doc: 'Requests at the same time on one HTTP/2 connection; more are refused by the protocol, and the client sends them later.',
    effect: 'live',
  }),
  maxResetsPerConnection: defineSetting({
    format: integer(1, 1_000_000),
    default: 400,
    doc: 'Requests on one HTTP/2 connection that may end without their answers within 30 seconds; with more the connection is closed.',
    effect: 'live',
  }),
};
