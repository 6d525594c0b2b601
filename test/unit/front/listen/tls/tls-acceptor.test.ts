import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { connect as connectHttp2, createServer as createHttp2Server } from 'node:http2';
import { get } from 'node:https';
import { connect } from 'node:net';
import { test } from 'node:test';
import { makeTicketKeys } from '../../../../../src/tls/ticket-keys.js';
import { eventually } from '../../../../support/eventually.js';
import { FakeClock } from '../../../../support/fake-clock.js';
import { handshakeByOpenssl } from '../../../../support/openssl.js';
import { captureHello, handshake, serveTls } from '../../../../support/serve-tls.js';
import { makeCertificate, makeMaterial, makeRsaCertificate } from '../../../../support/tls-material.js';

const versions = ['TLSv1.2', 'TLSv1.3'] as const;

for (const version of versions) {
  const only = { minVersion: version, maxVersion: version };

  test(`${version}: the name decides on the certificate, the first one serves the rest`, async (t) => {
    const { port } = await serveTls(
      t,
      makeMaterial([
        await makeCertificate(['first.test', 'www.first.test']),
        await makeCertificate(['wild.test', '*.wild.test', 'www.first.test']),
        await makeCertificate(['exact.wild.test']),
      ]),
    );
    for (const [servername, subject] of [
      ['first.test', 'first.test'],
      ['www.first.test', 'first.test'],
      ['WWW.Wild.Test', 'wild.test'],
      ['wild.test', 'wild.test'],
      ['exact.wild.test', 'exact.wild.test'],
      ['two.labels.wild.test', 'first.test'],
      ['unknown.test', 'first.test'],
      ['', 'first.test'],
    ] as const) {
      const { subject: got, protocol } = await handshake(port, { ...only, servername });
      assert.equal(got, subject, `asked for ${servername}`);
      assert.equal(protocol, version);
    }
  });

  test(`${version}: new material counts at once, with and without a name`, async (t) => {
    const old = await makeCertificate(['site.test'], { commonName: 'old' });
    const { port, acceptor } = await serveTls(t, makeMaterial([old]));
    const subjects = async () => [
      (await handshake(port, { ...only, servername: 'site.test' })).subject,
      (await handshake(port, { ...only, servername: '' })).subject,
    ];
    assert.deepEqual(await subjects(), ['old', 'old']);
    acceptor.use(makeMaterial([await makeCertificate(['site.test'], { commonName: 'new' })]));
    assert.deepEqual(await subjects(), ['new', 'new']);
  });

  test(`${version}: a session resumes at another server with the same ticket keys, and not after their rotation`, async (t) => {
    const material = makeMaterial([
      await makeCertificate(['first.test']),
      await makeCertificate(['site.test']),
    ]);
    const one = await serveTls(t, material);
    const other = await serveTls(t, material);
    const client = { ...only, servername: 'site.test' };
    const { session, isResumed } = await handshake(one.port, client);
    assert.equal(isResumed, false);
    assert.ok(session);
    assert.equal((await handshake(other.port, { ...client, session })).isResumed, true);
    one.acceptor.use(material);
    assert.equal((await handshake(one.port, { ...client, session })).isResumed, true);
    one.acceptor.use({ ...material, ticketKeys: makeTicketKeys() });
    const after = await handshake(one.port, { ...client, session });
    assert.deepEqual([after.isResumed, after.subject], [false, 'site.test']);
  });

  test(`${version}: a challenge is answered to who offers acme-tls/1 alone, for a name where one is open`, async (t) => {
    // Of another kind of key than the challenge, which is where SNICallback and ALPNCallback fail.
    const site = { ...(await makeRsaCertificate(t, 'site')), names: ['site.test'] };
    const challenge = await makeCertificate(['site.test'], { commonName: 'challenge' });
    const { port, acceptor } = await serveTls(t, makeMaterial([site], { alpnCertificates: [challenge] }));
    const flag = version === 'TLSv1.2' ? '-tls1_2' : '-tls1_3';
    const ask = async (name: string, alpn: string) =>
      (await handshakeByOpenssl(port, ['-servername', name, '-alpn', alpn, flag])).output;
    const answer = await ask('site.test', 'acme-tls/1');
    assert.match(answer, /CN = challenge\n/);
    assert.match(answer, /ALPN protocol: acme-tls\/1/);
    assert.match(await ask('site.test', 'http/1.1'), /CN = site\n/);
    assert.match(
      await ask('site.test', 'acme-tls/1,http/1.1'),
      /CN = site\n[\s\S]*ALPN protocol: http\/1\.1/,
    );
    assert.match(await ask('other.test', 'acme-tls/1'), /no application protocol/);
    acceptor.use(makeMaterial([site]));
    assert.match(await ask('site.test', 'acme-tls/1'), /no application protocol/);
  });
}

test('of HTTP/2 and HTTP/1.1 the first is preferred, while it is offered; without ALPN it is neither', async (t) => {
  let isHttp2Offered = true;
  const { port } = await serveTls(t, makeMaterial([await makeCertificate(['site.test'])]), {
    isHttp2Offered: () => isHttp2Offered,
  });
  const ask = async (...protocols: string[]) =>
    (await handshake(port, { servername: 'site.test', ALPNProtocols: protocols })).alpn;
  assert.equal(await ask('http/1.1', 'h2'), 'h2');
  assert.equal(await ask('http/1.1'), 'http/1.1');
  assert.equal((await handshake(port, { servername: 'site.test' })).alpn, false);
  await assert.rejects(ask('spdy/3'), { code: 'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL' });
  isHttp2Offered = false;
  assert.equal(await ask('h2', 'http/1.1'), 'http/1.1');
});

test('keys of different kinds side by side: everyone gets the certificate for his name', async (t) => {
  const rsa = await makeRsaCertificate(t, 'rsa.test');
  const ecdsa = await makeCertificate(['ecdsa.test']);
  for (const certificates of [
    [rsa, ecdsa],
    [ecdsa, rsa],
  ]) {
    const { port } = await serveTls(t, makeMaterial(certificates));
    for (const maxVersion of versions) {
      for (const servername of ['rsa.test', 'ecdsa.test']) {
        assert.equal((await handshake(port, { servername, maxVersion })).subject, servername);
      }
    }
  }
});

test('what comes out is taken by the HTTP servers of Node', async (t) => {
  const http1 = createHttpServer((_request, response) => response.end('by 1.1'));
  const http2 = createHttp2Server((_request, response) => response.end('by 2'));
  const { port } = await serveTls(t, makeMaterial([await makeCertificate(['site.test'])]), {
    onConnection: (socket) => (socket.alpnProtocol === 'h2' ? http2 : http1).emit('connection', socket),
  });
  const [answer] = await once(
    get({ port, host: '127.0.0.1', rejectUnauthorized: false, agent: false }),
    'response',
  );
  assert.equal((await answer.toArray()).join(''), 'by 1.1');
  const session = connectHttp2(`https://127.0.0.1:${port}`, { rejectUnauthorized: false });
  t.after(() => session.destroy());
  const body = await session.request({ ':path': '/' }).setEncoding('utf8').toArray();
  assert.equal(body.join(''), 'by 2');
  session.close();
});

test('a client that says nothing, or not all, is cut off at the deadline', async (t) => {
  const clock = new FakeClock();
  const { port } = await serveTls(t, makeMaterial([await makeCertificate(['site.test'])]), {
    clock,
    handshakeTimeoutMs: 5000,
  });
  for (const start of ['', '\x16\x03\x01\x02\x00\x01\x00']) {
    const client = connect(port, '127.0.0.1')
      .on('error', () => {})
      .resume();
    client.write(start);
    await eventually(() => assert.equal(clock.pending, 1));
    clock.advance(4999);
    assert.equal(client.destroyed, false);
    clock.advance(1);
    await once(client, 'close');
    assert.equal(clock.pending, 0);
  }
});

test('a client that leaves in its first words leaves nothing behind', async (t) => {
  const clock = new FakeClock();
  const { port, failures } = await serveTls(t, makeMaterial([await makeCertificate(['site.test'])]), {
    clock,
  });
  for (const leave of ['end', 'resetAndDestroy'] as const) {
    const client = connect(port, '127.0.0.1')
      .on('error', () => {})
      .resume();
    client.write('\x16\x03');
    await eventually(() => assert.equal(clock.pending, 1));
    const closed = once(client, 'close');
    client[leave]();
    await eventually(() => assert.equal(clock.pending, 0));
    await closed;
  }
  assert.ok(failures.every((error) => 'code' in error && error.code === 'ECONNRESET'));
});

test('the first words may come byte by byte; what is no TLS is refused and reported', async (t) => {
  const { port, failures } = await serveTls(t, makeMaterial([await makeCertificate(['site.test'])]));
  const plain = connect(port, '127.0.0.1')
    .on('error', () => {})
    .resume();
  plain.write('GET / HTTP/1.1\r\nHost: site.test\r\n\r\n');
  await once(plain, 'close');
  assert.match(String(failures[0]), /http request/i);
  assert.equal(await trickle(port), 0x16);
});

test('material that cannot be used changes nothing', async (t) => {
  const site = await makeCertificate(['site.test']);
  const { port, acceptor } = await serveTls(t, makeMaterial([site]));
  assert.throws(() => acceptor.use(makeMaterial([])), /there is none/);
  const other = await makeCertificate(['other.test']);
  assert.throws(() => acceptor.use(makeMaterial([{ ...other, keyPem: site.keyPem }])), /key values mismatch/);
  assert.equal((await handshake(port, { servername: 'other.test' })).subject, 'site.test');
});

/** Sends a real ClientHello byte by byte; answers with the first byte of the server's record. */
async function trickle(port: number): Promise<number | undefined> {
  const hello = await captureHello({ servername: 'site.test' });
  const client = connect({ port, host: '127.0.0.1', noDelay: true });
  for (const byte of hello) await new Promise((resolve) => client.write(Buffer.of(byte), resolve));
  const [answer] = (await once(client, 'data')) as [Buffer];
  client.destroy();
  return answer[0];
}
