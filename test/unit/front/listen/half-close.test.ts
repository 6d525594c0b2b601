import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Exchange } from '../../../../src/front/exchange.js';
import { eventually } from '../../../support/eventually.js';
import { serveFront } from '../../../support/serve-front.js';

const get = 'GET / HTTP/1.1\r\nHost: h\r\n\r\n';

test('a client that closes its side gets its answer', async (t) => {
  const exchanges: Exchange[] = [];
  const served = await serveFront(t, [(exchange) => exchanges.push(exchange) > 0]);
  const connection = await served.connect();
  connection.send(get + get);
  connection.halfClose();
  for (const count of [1, 2]) {
    await eventually(() => assert.equal(exchanges.length, count));
    assert.equal(connection.isOver, false);
    exchanges[count - 1]?.respond(200, [], `[${count}]`);
  }
  assert.match(await connection.readToEnd(), /\[1\][\s\S]*\[2\]$/);
});

test('as long as it comes; one that gets nothing for a while counts as gone', async (t) => {
  const exchanges: Exchange[] = [];
  const settings = { halfCloseTimeoutMs: 5000 };
  const served = await serveFront(t, [(exchange) => exchanges.push(exchange) > 0], settings);
  const connection = await served.connect();
  connection.send(get);
  connection.halfClose();
  await eventually(() => assert.equal(exchanges.length, 1));
  const [exchange] = exchanges;
  assert.ok(exchange);
  exchange.response.writeHead(200, []);
  await eventually(() => assert.equal(exchange.request.socket.readableEnded, true));
  for (let round = 0; round < 3; round += 1) {
    exchange.response.write('piece');
    await connection.readUntil('piece');
    connection.forget();
    served.clock.advance(5000);
    assert.equal(exchange.response.destroyed, false);
  }
  served.clock.advance(5000);
  await eventually(() => assert.equal(exchange.response.destroyed, true));
  await eventually(() => assert.equal(served.front.connections, 0));
});

test('a connection without a request ends with its client', async (t) => {
  const served = await serveFront(t, []);
  const connection = await served.connect();
  connection.halfClose();
  assert.equal(await connection.readToEnd(), '');
});
