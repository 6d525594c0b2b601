import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { noDefaults } from '../../../src/front/answer-defaults.js';
import { nameUnixPeer } from '../../../src/front/client-message.js';
import type { Exchange, RespondOptions } from '../../../src/front/exchange.js';
import { answerChallenge, applyHostPolicy, type HostPolicy } from '../../../src/front/host-policy.js';
import { serveHandler } from '../../support/serve-handler.js';

interface Asking {
  readonly scheme?: 'http' | 'https';
  readonly target?: string;
  /** Of our own socket. */
  readonly localPort?: number;
  /** 'unix': the connection came over a Unix socket. */
  readonly peer?: string;
}

interface PolicyOptions extends Partial<HostPolicy['settings']> {
  readonly secured?: readonly string[];
  readonly names?: readonly string[];
  readonly publicPort?: number;
  readonly hsts?: number;
}

interface Outcome {
  /** 200: left to the application. */
  readonly status: number;
  readonly location?: string | undefined;
  readonly hsts?: string | undefined;
}

/** Answers what becomes of a request for a host. */
function policy({ secured, names = [], publicPort = 443, hsts, ...settings }: PolicyOptions) {
  const handlers = applyHostPolicy({
    tls: secured && { securedNames: secured, publicPort, hstsMaxAgeSeconds: hsts },
    names,
    settings: {
      domains: [],
      canonicalHost: null,
      redirectToHttps: true,
      refuseUnknownHosts: true,
      ...settings,
    },
  });
  return (
    host: string,
    { scheme = 'http', target = '/', localPort = 80, peer = '198.51.100.1' }: Asking = {},
  ): Outcome => {
    const [path, query = ''] = target.split('?');
    const outcome: { status: number; location?: string | undefined; hsts?: string } = { status: 200 };
    const exchange = {
      ...{ id: 'test', path, query },
      client: { scheme, host },
      request: {
        headers: { host },
        socket:
          peer === 'unix' ? unixSocket() : { localPort, localAddress: '203.0.113.1', remoteAddress: peer },
      },
      defaults: noDefaults,
      addHeader: (name: string, value: string) => {
        assert.equal(name, 'Strict-Transport-Security');
        outcome.hsts = value;
      },
      respond: (status: number, headers: readonly string[], _body: unknown, options?: RespondOptions) => {
        outcome.status = status;
        assert.ok(options?.drainsRequest, 'a client that still sends its body gets the answer');
        const at = headers.indexOf('Location');
        if (at >= 0) outcome.location = headers[at + 1];
      },
    };
    const isTaken = handlers.some((handle) => handle(exchange as unknown as Exchange));
    assert.equal(isTaken, outcome.status !== 200);
    return outcome;
  };
}

function unixSocket(): object {
  const socket = {};
  nameUnixPeer(socket as Socket);
  return socket;
}

const served = { status: 200 };
const misdirected = { status: 421 };
const refused = { status: 400 };
const sentTo = (location: string) => ({ status: 308, location });

test('HTTP is sent on to HTTPS, path and query kept as they are', () => {
  const ask = policy({ secured: ['example.com', '*.example.com'] });
  assert.deepEqual(ask('example.com'), sentTo('https://example.com/'));
  assert.deepEqual(
    ask('example.com', { target: '/a%2Fb//c?d=%20e&f' }),
    sentTo('https://example.com/a%2Fb//c?d=%20e&f'),
  );
  assert.deepEqual(ask('WWW.Example.COM:80'), sentTo('https://www.example.com/'));
  assert.deepEqual(ask('example.com', { scheme: 'https' }), served);
});

test('any other name gets 421, over HTTPS too, and so does none', () => {
  const ask = policy({ secured: ['example.com'], names: ['*'] });
  for (const scheme of ['http', 'https'] as const) {
    for (const host of [
      'evil.test',
      'a.example.com',
      'example.com.evil.test',
      '192.0.2.1',
      'localhost',
      '',
    ]) {
      assert.deepEqual(ask(host, { scheme }), misdirected, host);
    }
  }
  assert.deepEqual(ask('example.com@evil.test'), misdirected);
  assert.deepEqual(ask('example.com:80:80'), misdirected);
  assert.deepEqual(ask('example.com:x'), misdirected);
});

test('a name whose certificate is still a stand-in is served as it comes', () => {
  const ask = policy({ secured: ['example.com'], domains: ['example.com', 'New.example.com'] });
  assert.deepEqual(ask('example.com'), sentTo('https://example.com/'));
  assert.deepEqual(ask('new.example.com'), served);
  assert.deepEqual(ask('new.example.com', { scheme: 'https' }), served);
});

test('names of ALLOWED_HOSTS without a certificate are served, those below a dot at any depth', () => {
  const ask = policy({
    secured: ['example.com'],
    names: ['Intern.test', '.shop.test', '[::1]', '127.0.0.1'],
  });
  for (const host of ['intern.test', 'shop.test', 'a.b.SHOP.test:80', '[::1]:8000', '127.0.0.1']) {
    assert.deepEqual(ask(host), served, host);
  }
  for (const host of ['a.intern.test', 'workshop.test']) assert.deepEqual(ask(host), misdirected, host);
});

test('the port of HTTPS is named where it is not 443, unless somebody forwards the ports', () => {
  const ask = policy({ secured: ['example.com'], publicPort: 8443 });
  assert.deepEqual(ask('example.com:8000', { localPort: 8000 }), sentTo('https://example.com:8443/'));
  assert.deepEqual(ask('example.com'), sentTo('https://example.com:8443/'), 'port 80 is our own');
  assert.deepEqual(ask('example.com', { localPort: 8000 }), sentTo('https://example.com/'));
});

test('addresses have brackets in a URL, and none in a certificate', () => {
  const ask = policy({ secured: ['2001:db8::1', '192.0.2.1'] });
  assert.deepEqual(ask('[2001:DB8::1]:80'), sentTo('https://[2001:db8::1]/'));
  assert.deepEqual(ask('192.0.2.1'), sentTo('https://192.0.2.1/'));
});

test('redirectToHttps = false: everything is served, whatever its name', () => {
  for (const host of ['example.com', 'other.test', ''])
    assert.deepEqual(
      policy({ secured: ['example.com'], redirectToHttps: false, refuseUnknownHosts: false })(host),
      served,
      host,
    );
});

test('without certificates and canonicalHost there is no policy', () => {
  const settings = { domains: [], canonicalHost: null, redirectToHttps: true, refuseUnknownHosts: true };
  for (const names of [[], ['*'], ['example.com', '*']])
    assert.deepEqual(applyHostPolicy({ tls: undefined, settings, names }), []);
  const tls = { securedNames: [], hstsMaxAgeSeconds: undefined, publicPort: 443 };
  assert.deepEqual(applyHostPolicy({ tls, settings, names: [] }), [], 'a certificate for development');
});

test('canonicalHost with HTTPS: one step from anywhere', () => {
  const ask = policy({ secured: ['example.com', 'www.example.com'], canonicalHost: 'WWW.example.com' });
  assert.deepEqual(ask('example.com', { target: '/a?b' }), sentTo('https://www.example.com/a?b'));
  assert.deepEqual(ask('www.example.com'), sentTo('https://www.example.com/'));
  assert.deepEqual(ask('example.com', { scheme: 'https' }), sentTo('https://www.example.com/'));
  assert.deepEqual(ask('example.com:8443', { scheme: 'https' }), sentTo('https://www.example.com:8443/'));
  assert.deepEqual(ask('www.example.com', { scheme: 'https' }), served);
  assert.deepEqual(ask('evil.test'), misdirected);
});

test('canonicalHost whose certificate is not there yet: nobody is led to a warning', () => {
  const ask = policy({
    secured: ['example.com'],
    domains: ['example.com', 'www.example.com'],
    canonicalHost: 'www.example.com',
  });
  assert.deepEqual(ask('example.com', { scheme: 'https' }), served);
  assert.deepEqual(ask('example.com'), sentTo('http://www.example.com/'));
  assert.deepEqual(ask('www.example.com'), served);
});

test('canonicalHost without HTTPS: the names of the site, with their port', () => {
  const ask = policy({ canonicalHost: 'www.example.com', names: ['.example.com', '192.0.2.1'] });
  assert.deepEqual(ask('example.com:8000', { target: '/a' }), sentTo('http://www.example.com:8000/a'));
  assert.deepEqual(ask('192.0.2.1'), sentTo('http://www.example.com/'));
  assert.deepEqual(ask('www.example.com'), served);
  assert.deepEqual(ask('other.test'), refused);
});

test('canonicalHost where nothing says which names there are: every name, and no address', () => {
  for (const names of [[], ['*']]) {
    const ask = policy({ canonicalHost: 'www.example.com', names });
    assert.deepEqual(ask('example.com'), sentTo('http://www.example.com/'));
    assert.deepEqual(ask('example.com', { scheme: 'https' }), sentTo('https://www.example.com/'));
    for (const host of ['localhost:8000', '192.0.2.1', '[::1]', ''])
      assert.deepEqual(ask(host), served, host);
  }
});

test('HSTS: over HTTPS only, for names with a certificate only, with the redirect too', () => {
  const ask = policy({
    secured: ['example.com', 'www.example.com'],
    domains: ['new.example.com'],
    canonicalHost: 'www.example.com',
    hsts: 3600,
  });
  const hsts = 'max-age=3600';
  assert.deepEqual(ask('www.example.com', { scheme: 'https' }), { status: 200, hsts });
  assert.deepEqual(ask('example.com', { scheme: 'https' }), {
    ...sentTo('https://www.example.com/'),
    hsts,
  });
  assert.deepEqual(ask('www.example.com'), sentTo('https://www.example.com/'));
  assert.deepEqual(ask('new.example.com', { scheme: 'https' }), sentTo('https://www.example.com/'));
});

const challengeFolder = '/.well-known/acme-challenge/';

test('a challenge is answered to whoever asks for its token, whole', async (t) => {
  const challenges = [
    { token: 'one', keyAuthorization: 'one.thumbprint' },
    { token: 'two', keyAuthorization: 'two.thumbprint' },
  ];
  const served = await serveHandler(t, answerChallenge(challenges));
  const answer = await served.ask(`${challengeFolder}two?a=b`, { headers: { Host: 'example.com' } });
  assert.equal(answer.status, 200);
  assert.equal(String(answer.body), 'two.thumbprint');
  assert.equal(answer.headers['content-type'], 'application/octet-stream');
  assert.equal(answer.headers['cache-control'], 'no-store');
  const head = await served.ask(`${challengeFolder}one`, { method: 'HEAD' });
  assert.deepEqual([head.status, head.headers['content-length'], head.body.length], [200, '14', 0]);
});

test('anything else is left to those behind', async (t) => {
  const served = await serveHandler(t, answerChallenge([{ token: 'one', keyAuthorization: 'x' }]));
  for (const path of [
    challengeFolder,
    `${challengeFolder}three`,
    `${challengeFolder}one/`,
    `${challengeFolder}ONE`,
    `${challengeFolder}../one`,
    '/one',
    '/',
  ]) {
    assert.equal((await served.ask(path)).status, 299, path);
  }
  const none = await serveHandler(t, answerChallenge([]));
  assert.equal((await none.ask(`${challengeFolder}one`)).status, 299);
});

test('a host that ALLOWED_HOSTS or domains do not name is refused, without HTTPS too', () => {
  for (const settings of [
    { names: ['example.com', '.shop.test'] },
    { domains: ['example.com', 'a.shop.test'] },
  ]) {
    const ask = policy(settings);
    for (const host of ['example.com', 'EXAMPLE.com:8000', 'a.shop.test'])
      assert.deepEqual(ask(host), served);
    for (const host of [
      'evil.test',
      'example.com.evil.test',
      'localhost',
      '192.0.2.1',
      '10.0.0.7',
      '[::1]',
      '',
    ])
      assert.deepEqual(ask(host), refused, host);
    const open = policy({ ...settings, refuseUnknownHosts: false });
    assert.deepEqual(open('evil.test'), served);
  }
});

test('a health check may ask by address: from a private network, or by that of its connection', () => {
  const ask = policy({ names: ['example.com'] });
  for (const peer of ['10.0.0.2', '127.0.0.1', '::ffff:192.168.1.2', 'fd00::1', 'unix']) {
    for (const host of ['10.0.0.7', '127.0.0.1:8000', '[fd00::7]', 'localhost', ''])
      assert.deepEqual(ask(host, { peer }), served, host);
    for (const host of ['evil.test', '192.0.2.1']) assert.deepEqual(ask(host, { peer }), refused, host);
  }
  assert.deepEqual(ask('203.0.113.1'), served);
});
