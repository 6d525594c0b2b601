import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Handler } from '../../../../src/front/exchange.js';
import { limitRates } from '../../../../src/front/limits/limit-rates.js';
import { type RateCounter, TokenBuckets } from '../../../../src/front/limits/token-buckets.js';
import type { Settings } from '../../../../src/settings/settings.js';
import { defaultSettings } from '../../../support/default-settings.js';
import { type ServedFront, serveFront } from '../../../support/serve-front.js';
import { secure } from '../../../support/serve-secure-front.js';

const answer: Handler = (exchange) => {
  exchange.respond(200, [], 'answer');
  return true;
};

async function serve(
  t: TestContext,
  changed: Partial<Settings>,
  counter?: RateCounter,
): Promise<ServedFront> {
  const served = await serveFront(t, [], changed);
  const { clock, log } = served;
  const settings = defaultSettings(changed);
  served.configure(
    limitRates({ settings, counter: counter ?? new TokenBuckets(clock), clock, log }, [answer]),
    changed,
  );
  return served;
}

function request(line: string, more = ''): string {
  return `${line} HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 0\r\n${more}\r\n`;
}

async function statusOf(served: ServedFront, line: string, more = ''): Promise<number> {
  return Number((await served.exchange(request(line, more))).split(' ')[1]);
}

test('"login": the eleventh POST within a minute gets 429 with Retry-After, by whatever spelling; pages do not', async (t) => {
  const served = await serve(t, { rateLimits: 'login' });
  const spellings = [
    '/accounts/login/',
    '/admin/login/?next=/admin/',
    '/accounts/l%6Fgin/',
    '//accounts//login/',
    '/x/../login',
    '/LOGIN',
    '/wp-login.php',
    '/users/sign_in',
    '/accounts/password/reset/',
    '/password_reset/',
  ];
  for (const path of spellings) assert.equal(await statusOf(served, `POST ${path}`), 200, path);
  const refused = await served.exchange(request('POST /accounts/login/'));
  assert.match(refused, /^HTTP\/1\.1 429 Too Many Requests\r\n[\s\S]*\r\nRetry-After: 6\r\n/);
  for (const path of spellings) assert.equal(await statusOf(served, `POST ${path}`), 429, path);
  for (const line of ['GET /accounts/login/', 'POST /blog/', 'POST /login/help', 'POST /blogin']) {
    assert.equal(await statusOf(served, line), 200, line);
  }
  served.clock.advance(6_000);
  assert.equal(await statusOf(served, 'POST /accounts/login/'), 200);
  assert.equal(served.log.all('rate-limited').length, 1);
});

test('rules of your own; each client has its own count, behind a trusted proxy too', async (t) => {
  const served = await serve(t, {
    rateLimits: ['POST|PUT /api/* 1/h', '/search?(all) 2/s burst 1'],
    trustedProxies: ['127.0.0.2'],
  });
  assert.equal(await statusOf(served, 'POST /api/a'), 200);
  assert.equal(await statusOf(served, 'PUT /api/b'), 429);
  assert.equal(await statusOf(served, 'GET /api/b'), 200);
  assert.equal(await statusOf(served, 'POST /apis'), 200);
  const asProxy = async (client: string): Promise<string> => {
    const connection = await served.connect('127.0.0.2');
    connection.send(request('POST /api/a', client === '' ? '' : `X-Forwarded-For: ${client}\r\n`));
    return (await connection.readToEnd()).slice(9, 12);
  };
  assert.equal(await asProxy('2001:db8::1'), '200');
  assert.equal(await asProxy('2001:db8::2'), '429');
  assert.equal(await asProxy('2001:db8:0:1::2'), '200');
  for (let n = 0; n < 3; n += 1) assert.equal(await asProxy(''), '200');
});

test('over HTTP/2, and where the count lies elsewhere', async (t) => {
  const buckets = new TokenBuckets({ now: () => 0, after: () => () => {}, every: () => () => {} });
  const served = await serve(t, { rateLimits: 'POST / 1/h' }, { take: async (one) => buckets.take(one) });
  const session = await (await secure(t, served)).http2();
  const ask = (): Promise<number> =>
    new Promise((resolve) => {
      const stream = session.request({ ':method': 'POST', ':path': '/' });
      stream.on('response', (headers) => resolve(Number(headers[':status'])));
      stream.end();
    });
  assert.equal(await ask(), 200);
  assert.equal(await ask(), 429);
});
