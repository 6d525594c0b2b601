import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import type { Exchange, Handler } from '../../../../src/front/exchange.js';
import { ListeningSocket } from '../../../../src/sockets/listening-socket.js';
import { eventually } from '../../../support/eventually.js';
import { serveSecureFront } from '../../../support/serve-secure-front.js';

const answer: Handler = (exchange) => {
  exchange.respond(200, [], `${exchange.client.scheme} ${exchange.request.httpVersion}`);
  return true;
};

const get = 'GET / HTTP/1.1\r\nHost: h\r\n\r\n';

test('HTTP/1 over TLS: 1.0, 1.1, keep-alive, and what is refused', async (t) => {
  const site = await serveSecureFront(t, [answer]);
  const connection = await site.http1();
  for (let round = 0; round < 3; round += 1) {
    connection.forget();
    connection.send(get);
    await connection.readUntil('https 1.1');
  }
  assert.equal(site.served.front.connections, 1);
  const old = await site.http1();
  old.send('GET / HTTP/1.0\r\n\r\n');
  assert.match(await old.readToEnd(), /\r\nConnection: close\r\n[\s\S]*https 1\.0$/);
  const tunnel = await site.http1();
  tunnel.send('CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n');
  assert.match(await tunnel.readToEnd(), /^HTTP\/1\.1 501 /);
  const nonsense = await site.http1();
  nonsense.send('hello\r\n\r\n');
  assert.match(await nonsense.readToEnd(), /^HTTP\/1\.1 400 /);
});

test('over TLS too: headers that take too long, and connections without a request', async (t) => {
  const site = await serveSecureFront(t, [answer], { headerTimeoutMs: 200, keepAliveTimeoutMs: 50 });
  const slow = await site.http1();
  slow.send('GET / HTTP/1.1\r\nHost: h\r\n');
  assert.match(await slow.readToEnd(), /^HTTP\/1\.1 408 Request Timeout\r\n/);
  const idle = await site.http1();
  idle.send(get);
  await idle.readToEnd();
  await eventually(() => assert.equal(site.served.front.connections, 0));
});

test('an answer that breaks off is cut over TLS', async (t) => {
  const exchanges: Exchange[] = [];
  const site = await serveSecureFront(t, [
    (exchange) => {
      exchanges.push(exchange);
      exchange.response.writeHead(200, []);
      exchange.response.write('half');
      return true;
    },
  ]);
  const socket = await site.tls({});
  let text = '';
  socket.on('error', () => {}); // 'close' follows
  socket.on('data', (piece) => {
    text += piece;
  });
  socket.write(get);
  await eventually(() => assert.match(text, /half/));
  const closed = once(socket, 'close');
  exchanges[0]?.response.destroy();
  await closed;
  assert.doesNotMatch(text, /\r\n0\r\n\r\n/);
});

test('HTTP/2 is not offered where it is switched off', async (t) => {
  const site = await serveSecureFront(t, [answer], { http2: false });
  const socket = await site.tls({ ALPNProtocols: ['h2', 'http/1.1'] });
  assert.equal(socket.alpnProtocol, 'http/1.1');
});

test('a handshake that is under way when the site stops is waited for a moment only', async (t) => {
  const site = await serveSecureFront(t, [answer]);
  const { front, clock } = site.served;
  await site.halfOpen();
  await eventually(() => assert.equal(front.connections, 1));
  const drained = front.drain(60_000);
  await clock.advanceAsync(1000);
  await drained;
  assert.equal(front.connections, 0);
});

test('a handshake that ends while the site stops: HTTP/1 gets its first request answered', async (t) => {
  const site = await serveSecureFront(t, [answer]);
  const { front } = site.served;
  const half = await site.halfOpen();
  await eventually(() => assert.equal(front.connections, 1));
  const drained = front.drain(60_000);
  const connection = await half.finishHttp1();
  connection.send(get);
  assert.match(await connection.readToEnd(), /\r\nConnection: close\r\n[\s\S]*https 1\.1$/);
  await drained;
});

test('the secure socket is replaced, and its connections go on', async (t) => {
  const site = await serveSecureFront(t, [answer]);
  const before = await site.http1();
  before.send(get);
  await before.readUntil('https 1.1');
  const second = await ListeningSocket.bind('127.0.0.1', 0);
  await site.served.front.listen('https', second.handle);
  before.forget();
  before.send(get);
  await before.readUntil('https 1.1');
  await assert.rejects(site.http1(), { code: 'ECONNREFUSED' });
});
