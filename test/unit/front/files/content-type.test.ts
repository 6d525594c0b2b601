import assert from 'node:assert/strict';
import { test } from 'node:test';
import { contentTypeOf, isCompressibleType, isInertType } from '../../../../src/front/files/content-type.js';

const names: [name: string, type: string][] = [
  ['/a/app.css', 'text/css; charset=utf-8'],
  ['/a/app.JS', 'text/javascript; charset=utf-8'],
  ['/a/app.mjs', 'text/javascript; charset=utf-8'],
  ['/a/data.json', 'application/json; charset=utf-8'],
  ['/a/icon.svg', 'image/svg+xml'],
  ['/a/font.woff2', 'font/woff2'],
  ['/a/app.wasm', 'application/wasm'],
  ['/a/photo.jpeg', 'image/jpeg'],
  ['/a/page.html', 'text/html; charset=utf-8'],
  ['/a/app.css.gz', 'application/gzip'],
  ['/a/app.css.br', 'application/octet-stream'],
  ['/a/unknown.qqq', 'application/octet-stream'],
  ['/a/LICENSE', 'application/octet-stream'],
  ['/a/html', 'application/octet-stream'],
  ['/.well-known/apple-app-site-association', 'application/json'],
];

for (const [name, type] of names) {
  test(`${name} is ${type}`, () => assert.equal(contentTypeOf(name), type));
}

const compressible = [
  ...[
    'text/html',
    'text/html; charset=utf-8',
    'TEXT/CSS',
    'text/plain',
    'text/javascript',
    'application/json',
  ],
  ...['application/javascript', 'application/problem+json; charset=utf-8', 'application/manifest+json'],
  ...['application/xml', 'application/atom+xml', 'image/svg+xml', 'application/wasm', 'font/ttf', 'font/otf'],
  ...['application/vnd.ms-fontobject', 'image/bmp', 'image/vnd.microsoft.icon', 'application/x-ndjson'],
];
const incompressible = [
  ...['', 'text/event-stream', 'text/event-stream; charset=utf-8', 'image/png', 'image/jpeg', 'video/mp4'],
  ...[
    'application/zip',
    'application/gzip',
    'application/pdf',
    'application/octet-stream',
    'font/woff2',
    'font/woff',
  ],
  ...['application/jsonx', 'multipart/form-data'],
];

for (const type of compressible) {
  test(`${type} is compressed`, () => assert.ok(isCompressibleType(type)));
}
for (const type of incompressible) {
  test(`${JSON.stringify(type)} is not compressed`, () => assert.ok(!isCompressibleType(type)));
}

const inert = [
  ...['image/png', 'image/webp', 'audio/mpeg', 'video/mp4', 'font/woff2', 'text/plain; charset=utf-8'],
  ...[
    'text/csv',
    'application/pdf',
    'application/json; charset=utf-8',
    'application/zip',
    'application/octet-stream',
  ],
];
const dangerous = [
  ...['text/html; charset=utf-8', 'application/xhtml+xml', 'image/svg+xml', 'application/xml', 'text/xml'],
  ...['application/rss+xml', 'application/mathml+xml', 'text/x-component', 'multipart/related', 'text/xsl'],
  ...[
    'application/x-shockwave-flash',
    'text/javascript; charset=utf-8',
    'message/rfc822',
    'application/xslt+xml',
  ],
];

for (const type of inert) {
  test(`${type} runs no script`, () => assert.ok(isInertType(type)));
}
for (const type of dangerous) {
  test(`${type} might run script`, () => assert.ok(!isInertType(type)));
}
