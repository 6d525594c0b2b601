import assert from 'node:assert/strict';
import { test } from 'node:test';
import { respondWithErrorPage } from '../../../src/front/error-page.js';
import type { Handler } from '../../../src/front/exchange.js';
import { defaultSettings } from '../../support/default-settings.js';
import { type ServedFront, serveFront } from '../../support/serve-front.js';

const refuse: Handler = (exchange) => {
  respondWithErrorPage(exchange, exchange.path === '/missing' ? 404 : 503, 'No room.');
  return true;
};

function ask(served: ServedFront, accept: string | undefined, path = '/'): Promise<string> {
  const line = accept === undefined ? '' : `Accept: ${accept}\r\n`;
  return served.exchange(`GET ${path} HTTP/1.1\r\nHost: h\r\n${line}Connection: close\r\n\r\n`);
}

test('an error is a page for browsers, JSON where that was asked for, and plain for curl', async (t) => {
  const served = await serveFront(t, [refuse]);
  for (const accept of [
    undefined,
    'text/html,application/xhtml+xml,*/*;q=0.8',
    'text/html, application/json',
  ]) {
    assert.match(await ask(served, accept), /Content-Type: text\/html;[\s\S]*<p>No room\.<\/p>/, accept);
  }
  for (const accept of [
    'application/json',
    'application/problem+json, */*',
    'application/json;q=0.9, text/plain',
  ]) {
    const answer = await ask(served, accept);
    assert.match(answer, /Content-Type: application\/json;/);
    const { requestId, ...rest } = JSON.parse(answer.slice(answer.indexOf('{')));
    assert.deepEqual(rest, { status: 503, title: 'Service Unavailable', sentence: 'No room.' });
    assert.match(answer, new RegExp(`X-Request-ID: ${requestId}\r\n`));
  }
  for (const accept of ['*/*', 'text/plain', 'image/png']) {
    assert.match(
      await ask(served, accept),
      /Content-Type: text\/plain;[\s\S]*\r\n503 Service Unavailable\nNo room\.\n/,
    );
  }
});

test('pages of your own: that of the status, else of its class, else the one for all', async (t) => {
  const served = await serveFront(t, [refuse]);
  const pages = new Map([
    ['404', 'lost {{status}} {{requestId}} {{other}}'],
    ['error', 'oops {{title}}: {{sentence}}'],
  ]);
  served.front.configure(defaultSettings(), [refuse], pages);
  assert.match(await ask(served, 'text/html', '/missing'), /\r\n\r\nlost 404 [\w-]+ \{\{other\}\}$/);
  assert.match(await ask(served, 'text/html'), /\r\n\r\noops Service Unavailable: No room\.$/);
  served.front.configure(defaultSettings(), [refuse], new Map([...pages, ['5xx', 'ours']]));
  assert.match(await ask(served, 'text/html'), /\r\n\r\nours$/);
});

test('every answer has the security headers that the application has not set, and no version of its server', async (t) => {
  const served = await serveFront(t, [
    (exchange) => {
      const own = exchange.path === '/own' ? ['x-frame-options', 'DENY'] : [];
      const policy = exchange.path === '/csp' ? ['Content-Security-Policy', "frame-ancestors 'none'"] : [];
      exchange.respond(
        200,
        [...own, ...policy, 'Server', 'Some/1.2 (Linux) Python/3.12', 'X-Powered-By', 'Express'],
        'x',
      );
      return true;
    },
  ]);
  const plain = await ask(served, undefined);
  for (const line of [
    'X-Content-Type-Options: nosniff',
    'Referrer-Policy: strict-origin-when-cross-origin',
    'X-Frame-Options: SAMEORIGIN',
  ]) {
    assert.ok(plain.includes(`\r\n${line}\r\n`), line);
  }
  assert.match(plain, /\r\nServer: Some Python\r\n/);
  assert.doesNotMatch(plain, /X-Powered-By:/i);
  assert.deepEqual((await ask(served, undefined, '/own')).match(/x-frame-options: .*/gi), [
    'x-frame-options: DENY',
  ]);
  assert.doesNotMatch(await ask(served, undefined, '/csp'), /X-Frame-Options/);
  served.front.configure(defaultSettings({ securityHeaders: { 'X-One': '1' }, passServerHeader: true }), [
    (exchange) => exchange.respond(200, ['Server', 's/1'], 'x') === undefined,
  ]);
  const changed = await ask(served, undefined);
  assert.match(changed, /X-One: 1\r\n[\s\S]*Server: s\/1\r\n/);
  assert.doesNotMatch(changed, /nosniff/);
});
