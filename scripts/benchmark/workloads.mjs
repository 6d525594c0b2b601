import { crc32 } from 'node:zlib';

/**
 * What is asked of a site, and what has to be answered: a function of the site that returns {path, method, headers, body,
 * connections, expect: {status, headers, body}}. Expected headers are regular expressions; a `decode` of 'gzip' unpacks
 * the body before it is compared.
 */

const text = { 'content-type': /^text\/plain; ?charset=utf-8$/i };
const css = { 'content-type': /^text\/css\b/ };

export const workloads = {
  minimal: () => ({
    path: '/',
    connections: 16,
    expect: { status: 200, headers: { ...text }, body: Buffer.from('Hello, world!\n') },
  }),

  newConnections: () => ({
    path: '/',
    headers: { connection: 'close' },
    connections: 16,
    expect: {
      status: 200,
      headers: { ...text, connection: /^close$/i },
      body: Buffer.from('Hello, world!\n'),
    },
  }),

  list: ({ content }) => ({
    path: '/',
    headers: { cookie: `sessionid=${content.session}` },
    connections: 16,
    expect: {
      status: 200,
      headers: {
        'content-type': /^text\/html; ?charset=utf-8$/i,
        'x-frame-options': /^DENY$/,
        vary: /\bCookie\b/,
      },
      body: content.page,
    },
  }),

  form: () => ({
    path: '/form',
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: formOf1Kilobyte(),
    connections: 16,
    expect: { status: 200, headers: { ...text }, body: Buffer.from('10 fields, 945 characters\n') },
  }),

  upload: ({ content }) => ({
    path: '/upload',
    method: 'POST',
    headers: { 'content-type': 'multipart/form-data; boundary=benchmark' },
    body: multipart(content.large),
    connections: 4,
    checks: 2,
    expect: { status: 200, headers: { ...text }, body: uploadAnswer(content.large) },
  }),

  download: ({ content }) => ({
    path: '/download',
    connections: 4,
    checks: 2,
    expect: {
      status: 200,
      headers: { 'content-type': /^application\/octet-stream$/, 'content-length': /^10485760$/ },
      body: content.large,
    },
  }),

  static: ({ content }) => ({
    path: '/static/style.css',
    connections: 16,
    expect: { status: 200, headers: { ...css, 'content-length': /^5120$/ }, body: content.style },
  }),

  staticUnchanged: () => ({
    path: '/static/style.css',
    revalidates: true,
    connections: 16,
    expect: { status: 304, headers: { etag: /./ }, body: Buffer.alloc(0) },
  }),

  staticGzip: ({ content }) => ({
    path: '/static/style.css',
    headers: { 'accept-encoding': 'gzip' },
    connections: 16,
    expect: {
      status: 200,
      headers: { ...css, 'content-encoding': /^gzip$/, vary: /accept-encoding/i },
      decode: 'gzip',
      body: content.style,
    },
  }),

  staticLarge: ({ content }) => ({
    path: '/static/large.bin',
    connections: 4,
    checks: 2,
    expect: { status: 200, headers: { 'content-length': /^10485760$/ }, body: content.large },
  }),
};

/** Ten fields of together 1,024 bytes on the wire: `field0=` and 94 or 95 characters each, joined by `&`. */
function formOf1Kilobyte() {
  const fields = Array.from({ length: 10 }, (_, n) => `field${n}=${'x'.repeat(n < 5 ? 95 : 94)}`);
  return Buffer.from(fields.join('&'));
}

function multipart(file) {
  const head =
    '--benchmark\r\nContent-Disposition: form-data; name="file"; filename="large.bin"\r\nContent-Type: application/octet-stream\r\n\r\n';
  return Buffer.concat([Buffer.from(head), file, Buffer.from('\r\n--benchmark--\r\n')]);
}

function uploadAnswer(file) {
  return Buffer.from(`${file.length} bytes, crc32 ${crc32(file).toString(16).padStart(8, '0')}\n`);
}
