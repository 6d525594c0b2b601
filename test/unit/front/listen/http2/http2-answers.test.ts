import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import type { Handler } from '../../../../../src/front/exchange.js';
import { askHttp2 } from '../../../../support/ask-http2.js';
import { makeGatewayWorld } from '../../../../support/gateway-world.js';
import { secure, serveSecureFront } from '../../../../support/serve-secure-front.js';

const headed =
  (...headers: readonly string[]): Handler =>
  (exchange) => {
    exchange.respond(200, headers, 'body');
    return true;
  };

const defaultHeaders = ['x-content-type-options', 'referrer-policy', 'x-frame-options'];

test('the head: names in lower case, nothing about the connection, values without margins', async (t) => {
  const site = await serveSecureFront(t, [
    headed(
      'X-Name',
      ' \tvalue ',
      'Connection',
      'close',
      'Keep-Alive',
      'timeout=5',
      'Upgrade',
      'h2c',
      'X-Latin',
      'caf\xe9',
    ),
  ]);
  const { status, headers, text, code } = await askHttp2(await site.http2(), '/');
  assert.deepEqual([status, text, code], [200, 'body', 0]);
  assert.deepEqual(
    Object.keys(headers).filter((name) => name !== 'date' && !defaultHeaders.includes(name)),
    [':status', 'x-request-id', 'x-name', 'x-latin', 'content-length'],
  );
  assert.equal(headers['x-name'], 'value');
  assert.equal(headers['x-latin'], 'caf\xe9');
});

test('headers that come twice: Set-Cookie stays two, lists become one, of others the last counts', async (t) => {
  const twice = ['Set-Cookie', 'a=1', 'Set-Cookie', 'b=2', 'Vary', 'Cookie', 'Vary', 'Accept'];
  const site = await serveSecureFront(t, [headed(...twice, 'ETag', '"1"', 'ETag', '"2"')]);
  const { headers } = await askHttp2(await site.http2(), '/');
  assert.deepEqual(headers['set-cookie'], ['a=1', 'b=2']);
  assert.equal(headers.vary, 'Cookie, Accept');
  assert.equal(headers.etag, '"2"');
});

test('answers without a body: HEAD, 204, 205, 304', async (t) => {
  const site = await serveSecureFront(t, [
    ({ path, response, method }) => {
      const status = Number(path.slice(1));
      response.writeHead(status, method === 'HEAD' ? ['Content-Length', '4'] : []);
      response.end('body');
      return true;
    },
  ]);
  const session = await site.http2();
  for (const status of [204, 205, 304]) {
    const answer = await askHttp2(session, `/${status}`);
    assert.deepEqual([answer.status, answer.text, answer.code], [status, '', 0]);
  }
  const answer = await askHttp2(session, { ':method': 'HEAD', ':path': '/200' });
  assert.deepEqual([answer.status, answer.headers['content-length'], answer.text], [200, '4', '']);
});

test('a HEAD whose head leaves early, and its end later', async (t) => {
  const closed: boolean[] = [];
  const site = await serveSecureFront(t, [
    ({ response }) => {
      response.once('close', () => closed.push(response.writableFinished));
      response.flushHeaders();
      setImmediate(() => response.end());
      return true;
    },
  ]);
  const answer = await askHttp2(await site.http2(), { ':method': 'HEAD', ':path': '/' });
  assert.deepEqual([answer.status, answer.code], [200, 0]);
  assert.deepEqual(closed, [true]);
});

test('interim answers: 103 with its links, 100 for a body that waits for it', async (t) => {
  const site = await serveSecureFront(t, [
    (exchange) => {
      exchange.response.writeEarlyHints({ link: ['</a.css>; rel=preload', '</b.js>; rel=preload'] });
      if (exchange.method === 'POST') exchange.response.writeContinue();
      exchange.request.resume().once('end', () => exchange.respond(200, [], 'done'));
      return true;
    },
  ]);
  const session = await site.http2();
  const hinted = await askHttp2(session, '/');
  assert.equal(hinted.interim[0]?.[':status'], 103);
  assert.equal(hinted.interim[0]?.link, '</a.css>; rel=preload, </b.js>; rel=preload');
  const asked = await askHttp2(session, { ':method': 'POST', ':path': '/', expect: '100-continue' }, 'x');
  assert.ok(asked.interim.some((each) => each[':status'] === 100));
  assert.equal(asked.text, 'done');
});

test('a head that HTTP cannot carry is refused as a whole: the error page has nothing of it', async (t) => {
  const bad = [
    ['X-Good', 'yes', 'X-Bad', 'a\nb'],
    ['X-Good', 'yes', 'X Bad', 'value'],
    ['X-Good', 'yes', ':status', '200'],
  ];
  for (const headers of bad) {
    const world = await makeGatewayWorld(t, { settings: { compress: false } });
    const site = await secure(t, world.served);
    const answered = askHttp2(await site.http2(), '/');
    const { thread } = await world.gateway.nextFrame();
    thread.send('whole', ['200 OK', ...headers].join('\0'), 'body');
    const answer = await answered;
    assert.equal(answer.status, 502, String(headers));
    assert.equal(answer.headers['x-good'], undefined);
    assert.match(answer.text, /cannot be sent/);
  }
});

test('a name from the prototype is a header like any other', async (t) => {
  const site = await serveSecureFront(t, [headed('__proto__', 'a', 'constructor', 'b')]);
  const { headers } = await askHttp2(await site.http2(), '/');
  assert.ok(Object.entries(headers).some(([name, value]) => name === 'constructor' && value === 'b'));
});

test('a status that Node does not send over HTTP/2 is refused', async (t) => {
  const world = await makeGatewayWorld(t);
  const site = await secure(t, world.served);
  const answered = askHttp2(await site.http2(), '/');
  const { thread } = await world.gateway.nextFrame();
  thread.send('whole', '799 Odd', 'body');
  assert.equal((await answered).status, 502);
});

test('a body in pieces, of megabytes, and larger than all windows', async (t) => {
  const large = randomBytes(3_000_000);
  const site = await serveSecureFront(t, [
    ({ path, response }) => {
      response.writeHead(200, []);
      if (path === '/one') response.end(large);
      else {
        for (let at = 0; at < large.length; at += 1000) response.write(large.subarray(at, at + 1000));
        response.end();
      }
      return true;
    },
  ]);
  const session = await site.http2();
  const [one, many] = await Promise.all([askHttp2(session, '/one'), askHttp2(session, '/many')]);
  assert.ok(one.body.equals(large));
  assert.ok(many.body.equals(large));
});

test('a handler that throws: a page before the head is settled, a reset after', async (t) => {
  const site = await serveSecureFront(t, [
    ({ path, response }) => {
      if (path === '/late') response.writeHead(200, ['Content-Length', '10']);
      throw new Error('a bug');
    },
  ]);
  const session = await site.http2();
  assert.equal((await askHttp2(session, '/early')).status, 500);
  assert.notEqual((await askHttp2(session, '/late')).code, 0);
});
