import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import type { Handler } from '../../../../src/front/exchange.js';
import { parseProxyHeader } from '../../../../src/front/listen/proxy-header.js';
import { eventually } from '../../../support/eventually.js';
import { RawConnection } from '../../../support/raw-connection.js';
import { serveFront } from '../../../support/serve-front.js';
import { secure } from '../../../support/serve-secure-front.js';

const get = 'GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n';
const forwarded = get.replace('\r\n\r\n', '\r\nX-Forwarded-For: 203.0.113.9\r\n\r\n');
const version1 = 'PROXY TCP4 192.0.2.7 198.51.100.1 56324 443\r\n';
const isOn = { proxyProtocol: true, trustedProxies: ['127.0.0.1'] };

const tellClient: Handler = (exchange) => {
  exchange.respond(200, [], `${exchange.client.address} ${exchange.client.port}`);
  return true;
};

function binary(command: number, family: number, rest: readonly number[]): Buffer {
  const head = Buffer.from([13, 10, 13, 10, 0, 13, 10, 81, 85, 73, 84, 10, command, family, 0, 0]);
  head.writeUInt16BE(rest.length, 14);
  return Buffer.concat([head, Buffer.from(rest)]);
}

const tcp4 = [192, 0, 2, 8, 198, 51, 100, 1, 0xdc, 4, 1, 0xbb];
const address6 = [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];

test('headers of both versions, whole and in pieces', () => {
  const client = { address: '192.0.2.7', port: 56324 };
  for (const [header, expected] of [
    [Buffer.from(version1), client],
    [Buffer.from('PROXY UNKNOWN\r\n'), undefined],
    [Buffer.from('PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n'), undefined],
    [Buffer.from('PROXY TCP6 2001:db8::1 2001:db8::2 1 2\r\n'), { address: '2001:db8::1', port: 1 }],
    [binary(0x21, 0x11, tcp4), { address: '192.0.2.8', port: 56324 }],
    [binary(0x21, 0x11, [...tcp4, 4, 0, 1, 9]), { address: '192.0.2.8', port: 56324 }],
    [binary(0x21, 0x21, [...address6, ...address6, 0, 5, 0, 6]), { address: '2001:db8::1', port: 5 }],
    [binary(0x20, 0, []), undefined],
    [binary(0x21, 0x31, Array(216).fill(0)), undefined],
  ] as const) {
    const behind = Buffer.concat([header, Buffer.from('GET /')]);
    assert.deepEqual(parseProxyHeader(behind), { bytes: header.length, client: expected });
    for (let cut = 0; cut < header.length; cut += 1) {
      assert.equal(parseProxyHeader(header.subarray(0, cut)), 'incomplete', `${cut} of ${header}`);
    }
  }
});

test('what is no header', () => {
  for (const bytes of [
    'GET / HTTP/1.1\r\n',
    'PROXY TCP4 192.0.2.7 198.51.100.1 56324\r\n',
    'PROXY TCP4 2001:db8::1 2001:db8::2 1 2\r\n',
    'PROXY TCP4 192.0.2.7 198.51.100.1 65536 443\r\n',
    'PROXY TCP4 192.0.2.7 198.51.100.1 056 443\r\n',
    'PROXY TCP4  192.0.2.7 198.51.100.1 1 2\r\n',
    'PROXY UDP4 192.0.2.7 198.51.100.1 1 2\r\n',
    `PROXY UNKNOWN ${'x'.repeat(107)}`,
  ]) {
    assert.equal(parseProxyHeader(Buffer.from(bytes)), 'invalid', bytes);
  }
  assert.equal(parseProxyHeader(binary(0x31, 0x11, tcp4)), 'invalid');
  assert.equal(parseProxyHeader(binary(0x22, 0x11, tcp4)), 'invalid');
  assert.equal(parseProxyHeader(binary(0x21, 0x11, tcp4.slice(1))), 'invalid');
});

test('the client is whom the proxy names, and what it forwards is not believed', async (t) => {
  const served = await serveFront(t, [tellClient], isOn);
  assert.match(await served.exchange(version1 + get), /192\.0\.2\.7 56324$/);
  assert.match(await served.exchange(version1 + forwarded), /192\.0\.2\.7 56324$/);
  assert.match(await served.exchange(`PROXY UNKNOWN\r\n${forwarded}`), /127\.0\.0\.1 \d+$/);
  const second = version1.replace('192.0.2.7', '127.0.0.1');
  assert.match(await served.exchange(second + forwarded), /203\.0\.113\.9 0$/);
  const pieces = await served.connect();
  for (const byte of version1) pieces.send(byte);
  pieces.send(get);
  assert.match(await pieces.readToEnd(), /192\.0\.2\.7 56324$/);
});

test('a trusted proxy has to say it, and soon; from others it is refused, and with the setting off too', async (t) => {
  const served = await serveFront(t, [tellClient], isOn);
  const plain = await served.connect();
  plain.send(get);
  assert.equal(await plain.readToEnd(), '');
  assert.equal(served.log.all('proxy-header-missing').length, 1);
  const silent = await served.connect();
  silent.send('PROXY TCP4');
  await eventually(() => assert.equal(served.front.connections, 1));
  served.clock.advance(15_000);
  assert.equal(await silent.readToEnd(), '');
  const stranger = await served.connect('127.0.0.2');
  stranger.send(version1 + get);
  assert.match(await stranger.readToEnd(), /^HTTP\/1\.1 400 /);
  const open = await served.connect('127.0.0.2');
  open.send(get);
  assert.match(await open.readToEnd(), /127\.0\.0\.2 \d+$/);
  served.configure([tellClient], { proxyProtocol: false });
  assert.match(await served.exchange(version1 + get), /^HTTP\/1\.1 400 /);
});

test('connections are counted by the client that is named', async (t) => {
  const served = await serveFront(t, [() => true], { ...isOn, maxConnectionsPerAddress: 1 });
  const first = await served.connect();
  first.send(version1 + get);
  await eventually(() => assert.equal(served.front.connections, 1));
  const other = version1.replace('192.0.2.7', '192.0.2.6');
  const second = await served.connect();
  second.send(other + get);
  const third = await served.connect();
  third.send(version1 + get);
  assert.match(await third.readToEnd(), /^HTTP\/1\.1 503 /);
});

test('in front of TLS', async (t) => {
  const site = await secure(t, await serveFront(t, [tellClient], isOn));
  const below: Socket = connect(site.port, '127.0.0.1');
  t.after(() => below.destroy());
  await once(below, 'connect');
  below.write(binary(0x21, 0x11, tcp4));
  const socket = connectTls({ socket: below, servername: 'localhost', rejectUnauthorized: false });
  await once(socket, 'secureConnect');
  const connection = new RawConnection(socket);
  connection.send(get);
  assert.match(await connection.readToEnd(), /192\.0\.2\.8 56324$/);
});
