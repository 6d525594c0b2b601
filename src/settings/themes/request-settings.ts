import { addressBlocks, headerNames, methodNames, pathPrefixes } from '../address-formats.js';
import { autoOr, boolean, duration, integer, nullable, size } from '../formats.js';
import { headerTable } from '../header-format.js';
import { folder } from '../path-formats.js';
import { defineSetting } from '../setting-definition.js';

export const requestSettings = {
  trustedProxies: defineSetting({
    format: autoOr(addressBlocks),
    default: 'auto',
    doc: 'Addresses and CIDR blocks of proxies whose X-Forwarded headers are believed. From anyone else they are dropped. "auto": where the site listens on a loopback address or a Unix socket only, which other machines cannot reach, those of this machine; else nobody. An empty list for nobody.',
    effect: 'live',
  }),
  proxyProtocol: defineSetting({
    format: boolean,
    default: false,
    doc: 'Connections of trustedProxies begin with a PROXY header, version 1 or 2, which names the client; one without is closed. X-Forwarded headers are then believed only where the header names a trusted proxy.',
    effect: 'live',
  }),
  proxyHeaders: defineSetting({
    format: headerNames,
    default: ['X-Forwarded-For', 'X-Forwarded-Proto'],
    doc: 'Headers about the client that the proxies of trustedProxies set or drop themselves, so that no client can send them: X-Forwarded-For, -Proto and -Host are believed, others (X-Real-IP, Forwarded, X-Forwarded-Port, CF-Connecting-IP) passed on.',
    effect: 'live',
  }),
  maxBodyBytes: defineSetting({
    format: size(1),
    default: 134_217_728,
    doc: 'Largest request body; a larger one is answered with 413.',
    effect: 'live',
  }),
  bodyMemoryBytes: defineSetting({
    format: size(0),
    default: 262_144,
    doc: 'A request body above this size waits in a temporary file instead of memory.',
    effect: 'live',
  }),
  streamUploads: defineSetting({
    format: pathPrefixes,
    default: [],
    doc: 'URL paths under which the application reads a body while it arrives, instead of after it has arrived. A chunked body is read whole first everywhere.',
    effect: 'live',
  }),
  responseBufferBytes: defineSetting({
    format: size(1),
    default: 1_048_576,
    doc: 'How much of one response waits in memory for a slow client; what goes beyond it waits in a temporary file, so that the application is free as soon as it has made it.',
    effect: 'live',
  }),
  bufferMemoryBytes: defineSetting({
    format: autoOr(size(1)),
    default: 'auto',
    doc: 'Memory in all for request bodies and responses that wait, over all connections; beyond it they wait in temporary files. "auto" takes 1/16 of the memory of machine or container, at most 128 MiB.',
    effect: 'live',
  }),
  spoolMaxBytes: defineSetting({
    format: autoOr(size(0)),
    default: 'auto',
    doc: 'Disk space in all for the temporary files of request bodies and responses. Uploads that find no room are answered with 507; a response is then taken off the application as its client reads it. "auto" takes half of what is free.',
    effect: 'live',
  }),
  spoolResponseMaxBytes: defineSetting({
    format: size(0),
    default: 1024 * 1024 * 1024,
    doc: 'Disk space of one response: a client that does not read an endless one gets no more ahead, and the application waits for it.',
    effect: 'live',
  }),
  spoolMinFreePercent: defineSetting({
    format: integer(0, 99),
    default: 5,
    doc: 'Share of the disk in percent that these files always leave free.',
    effect: 'live',
  }),
  maxHeaderBytes: defineSetting({
    format: integer(1024, 1_048_576),
    default: 16_384,
    doc: 'Largest size of all request headers together; more is answered with 431.',
    effect: 'live',
  }),
  refuseUnknownHosts: defineSetting({
    format: boolean,
    default: true,
    doc: 'Whether requests for a host that neither domains nor ALLOWED_HOSTS name are refused, where one of them names any. Health checks from a private network may ask by address.',
    effect: 'live',
  }),
  maxHeaderCount: defineSetting({
    format: integer(1, 10_000),
    default: 100,
    doc: 'Most headers of a request; more are answered with 431.',
    effect: 'live',
  }),
  methods: defineSetting({
    format: methodNames,
    default: [],
    doc: 'Request methods beside GET, HEAD, POST, PUT, PATCH, DELETE and OPTIONS, like ["PROPFIND", "MKCOL"] for WebDAV. Others are answered with 501.',
    effect: 'live',
  }),
  headerTimeoutMs: defineSetting({
    format: duration(1),
    default: 15_000,
    doc: 'How long a client may take to send the headers of a request.',
    effect: 'live',
  }),
  bodyIdleTimeoutMs: defineSetting({
    format: duration(1),
    default: 30_000,
    doc: 'How long a client may pause while it sends a body.',
    effect: 'live',
  }),
  minBodyBytesPerSecond: defineSetting({
    format: size(0),
    default: 500,
    doc: 'How fast a client has to send a body, after a first bodyIdleTimeoutMs; a slower one is answered with 408. 0 for as slow as it likes.',
    effect: 'live',
  }),
  sendTimeoutMs: defineSetting({
    format: duration(1),
    default: 60_000,
    doc: 'How long a client may take nothing of what is sent to it before it is cut. While bufferMemoryBytes are used up it gets at most 5 seconds.',
    effect: 'live',
  }),
  minSendBytesPerSecond: defineSetting({
    format: size(0),
    default: 500,
    doc: 'How fast a client has to take what waits for it, after a first sendTimeoutMs; a slower one is cut. 0 for as slow as it likes.',
    effect: 'live',
  }),
  keepAliveTimeoutMs: defineSetting({
    format: duration(1),
    default: 75_000,
    doc: 'How long an idle connection is kept for the next request.',
    effect: 'live',
  }),
  halfCloseTimeoutMs: defineSetting({
    format: duration(1),
    default: 5_000,
    doc: 'How long a client that has closed its side of the connection may wait for more of its answer; then it counts as gone.',
    effect: 'live',
  }),
  queueRequests: defineSetting({
    format: integer(0, 1_000_000),
    default: 1000,
    doc: 'Requests of one front that may wait for an idle thread; more are answered with 503.',
    effect: 'live',
  }),
  overloadWaitMs: defineSetting({
    format: duration(0),
    default: 1000,
    doc: 'While requests have been waiting without a pause for a second, one that would wait longer than this is answered with 503 at once. Four for each that is worked on may always wait. 0 for never.',
    effect: 'live',
  }),
  queueTimeoutMs: defineSetting({
    format: duration(1),
    default: 30_000,
    doc: 'How long a request may wait for an idle thread before it is answered with 503.',
    effect: 'live',
  }),
  requestTimeoutMs: defineSetting({
    format: duration(0),
    default: 120_000,
    doc: 'A request that runs longer is stuck: it is answered with 504, its stack is logged and its process is replaced. 0 for never.',
    effect: 'live',
  }),
  securityHeaders: defineSetting({
    format: headerTable,
    default: {
      'X-Content-Type-Options': 'nosniff',
      'Referrer-Policy': 'strict-origin-when-cross-origin',
      'X-Frame-Options': 'SAMEORIGIN',
    },
    doc: 'Headers of every answer that has none of that name by itself. An answer whose Content-Security-Policy has frame-ancestors gets no X-Frame-Options, and neither does a page of a Django project with XFrameOptionsMiddleware: where that sets none, the page is `@xframe_options_exempt`. An empty table for none.',
    effect: 'live',
  }),
  passServerHeader: defineSetting({
    format: boolean,
    default: false,
    doc: 'Whether the headers Server and X-Powered-By of the application reach the client as they are; else X-Powered-By is left out, and versions in Server are. easyserve itself sends neither.',
    effect: 'live',
  }),
  errorPages: defineSetting({
    format: nullable(folder),
    default: null,
    doc: 'Folder with pages in place of those that easyserve answers errors with: 503.html, else 5xx.html or 4xx.html, else error.html. In them {{status}}, {{title}}, {{sentence}} and {{requestId}} are filled in. Read at the start and at a reload.',
    effect: 'live',
  }),
};
