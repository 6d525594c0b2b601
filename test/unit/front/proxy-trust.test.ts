import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Handler } from '../../../src/front/exchange.js';
import type { Settings } from '../../../src/settings/settings.js';
import { ListeningSocket } from '../../../src/sockets/listening-socket.js';
import { type ServedFront, serveFront } from '../../support/serve-front.js';

const tell: Handler = (exchange) => {
  const { address, scheme, host, isPeerTrusted } = exchange.client;
  exchange.respond(200, [], `${address} ${scheme} ${host} ${isPeerTrusted}`);
  return true;
};

/** What a proxy, or somebody who pretends to be one, sends. */
const words =
  'X-Forwarded-For: 6.6.6.6, 192.0.2.7\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: evil.example\r\n';

async function ask(served: ServedFront, headers = words, from?: string): Promise<string> {
  const connection = await served.connect(from);
  connection.send(`GET / HTTP/1.1\r\nHost: h\r\n${headers}Connection: close\r\n\r\n`);
  return (await connection.readToEnd()).split('\r\n').at(-1) ?? '';
}

const serve = (t: TestContext, host: string, settings: Partial<Settings> = {}): Promise<ServedFront> =>
  serveFront(t, [tell], settings, { host });

for (const host of ['127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1']) {
  test(`a site on ${host} alone believes the proxies of this machine, but for the host`, async (t) => {
    const served = await serve(t, host);
    assert.equal(await ask(served), '192.0.2.7 https h true');
    assert.deepEqual(served.log.all('proxy-not-trusted'), []);
  });
}

test('a visitor on this machine who speaks for nobody is no proxy', async (t) => {
  const served = await serve(t, '127.0.0.1');
  assert.equal(await ask(served, 'X-Request-ID: a\r\n'), '127.0.0.1 http h false');
});

for (const host of ['0.0.0.0', '::']) {
  test(`a site on ${host} believes nobody, and says once which setting would change that`, async (t) => {
    const served = await serve(t, host);
    assert.equal(await ask(served), '127.0.0.1 http h false');
    await ask(served, words, '127.0.0.2');
    const [record, ...more] = served.log.all('proxy-not-trusted');
    assert.match(record?.message ?? '', /^X-Forwarded-Proto from 127\.0\.0\.1 is dropped/);
    assert.deepEqual(record?.fields, {
      client: '127.0.0.1',
      hint: 'if it is your proxy: trustedProxies = ["127.0.0.1"]',
    });
    assert.deepEqual(more, []);
  });
}

test('an empty list trusts nobody on a loopback address either, and another list those that it names', async (t) => {
  const served = await serve(t, '127.0.0.1', { trustedProxies: [] });
  assert.equal(await ask(served), '127.0.0.1 http h false');
  served.configure([tell], { trustedProxies: ['127.0.0.2'] });
  assert.equal(await ask(served), '127.0.0.1 http h false');
  assert.equal(await ask(served, words, '127.0.0.2'), '192.0.2.7 https h true');
});

test('trust ends with the first address that others reach, on connections that are open already', async (t) => {
  const served = await serve(t, '127.0.0.1');
  const old = await served.connect();
  old.send(`GET / HTTP/1.1\r\nHost: h\r\n${words}\r\n`);
  await old.readUntil('192.0.2.7 https');
  const open = await ListeningSocket.bind('0.0.0.0', 0);
  await served.front.listen('http', open.handle);
  old.send(`GET / HTTP/1.1\r\nHost: h\r\n${words}\r\n`);
  await old.readUntil('127.0.0.1 http h false');
});

test('connections of a proxy of this machine do not count as those of one client, others do', async (t) => {
  const served = await serve(t, '127.0.0.1', { maxConnectionsPerAddress: 2 });
  const proxy = [await served.connect(), await served.connect()];
  for (const connection of proxy) {
    connection.send(`GET / HTTP/1.1\r\nHost: h\r\n${words}\r\n`);
    await connection.readUntil('192.0.2.7');
  }
  const others = [await served.connect(), await served.connect()];
  for (const connection of others) {
    connection.send('GET / HTTP/1.1\r\nHost: h\r\n\r\n');
    await connection.readUntil('127.0.0.1 http');
  }
  assert.equal(served.front.connections, 4);
  await served.connect(); // in the place of the one that has been idle longest
  await others[0]?.readToEnd();
  for (const connection of proxy) {
    connection.send(`GET / HTTP/1.1\r\nHost: h\r\n${words}\r\n`);
    await connection.readUntil('192.0.2.7');
  }
});
