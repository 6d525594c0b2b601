import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { AcmeError } from '../../../../src/tls/acme/acme-error.js';
import { AcmeOrderer, type AcmeSettings } from '../../../../src/tls/acme/acme-orderer.js';
import type { CaAnswer, CaFetch, CaRequest } from '../../../../src/tls/acme/ca-connection.js';
import { CertificateFolder } from '../../../../src/tls/acme/certificate-folder.js';
import { defaultSettings } from '../../../support/default-settings.js';
import { FakeClock } from '../../../support/fake-clock.js';
import { RecordingLog } from '../../../support/recording-log.js';

const directoryUrl = 'https://ca.example/dir';
const nowMs = Date.parse('2026-03-01T12:00:00Z');

interface World {
  readonly orderer: AcmeOrderer;
  readonly clock: FakeClock;
  readonly log: RecordingLog;
  readonly requests: CaRequest[];
}

type Reply = (request: CaRequest) => Partial<CaAnswer> | Promise<CaAnswer>;

/** An orderer whose CA answers what the test says. */
async function createWorld(
  t: TestContext,
  reply: Reply,
  changed: Partial<AcmeSettings> = {},
  stagingOf: (url: string) => string | undefined = () => undefined,
): Promise<World> {
  const path = await mkdtemp(join(tmpdir(), 'easyserve-ca-'));
  t.after(() => rm(path, { recursive: true }));
  const [clock, log, requests] = [new FakeClock(), new RecordingLog(), [] as CaRequest[]];
  const fetch: CaFetch = async (request) => {
    requests.push(request);
    return { status: 200, headers: {}, body: '', ...(await reply(request)) };
  };
  const orderer = new AcmeOrderer({
    settings: { ...defaultSettings(), acmeDirectory: directoryUrl, ...changed },
    folder: new CertificateFolder(path, log),
    clock,
    wallNow: () => nowMs,
    fetch,
    log,
    stagingOf,
    publishChallenges: async () => async () => undefined,
  });
  return { orderer, clock, log, requests };
}

function order(world: World, isFirst = false): Promise<unknown> {
  return world.orderer.order({
    names: ['example.com'],
    challenge: 'http-01',
    replaces: undefined,
    isFirst,
    onStagingPassed: () => undefined,
    signal: new AbortController().signal,
  });
}

async function failureOf(promise: Promise<unknown>): Promise<AcmeError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof AcmeError) return error;
  throw new Error('it should have failed in words', { cause: error });
}

function directoryWith(changed: Record<string, unknown> = {}): string {
  const at = (name: string): string => `https://ca.example/${name}`;
  return JSON.stringify({
    newNonce: at('nonce'),
    newAccount: at('account'),
    newOrder: at('order'),
    ...changed,
  });
}

function problem(type: string, detail: string, status = 403): Partial<CaAnswer> {
  return { status, body: JSON.stringify({ type: `urn:ietf:params:acme:error:${type}`, detail }) };
}

/** The directory and nonces are in order; the account is answered as given. */
function atAccount(answer: Partial<CaAnswer>): Reply {
  return ({ url }) => {
    if (url === directoryUrl) return { body: directoryWith() };
    if (url.endsWith('/nonce')) return { headers: { 'replay-nonce': 'abc' } };
    return { headers: { 'replay-nonce': 'def' }, ...answer };
  };
}

const networkError =
  (code: string): Reply =>
  () =>
    Promise.reject(Object.assign(new Error(code), { code }));

const cases: readonly (readonly [title: string, reply: Reply, code: string, sentence: RegExp])[] = [
  [
    'a web page instead of a directory',
    () => ({ body: '<html>' }),
    'acme-ca-garbage',
    /ca\.example does not answer as/,
  ],
  ['an empty answer', () => ({ body: '' }), 'acme-ca-garbage', /does not answer as/],
  ['JSON of another kind', () => ({ body: '[1, 2]' }), 'acme-ca-garbage', /does not answer as/],
  [
    'URLs that are none',
    () => ({ body: directoryWith({ newNonce: 7 }) }),
    'acme-ca-garbage',
    /does not answer as/,
  ],
  [
    'an account without a place',
    atAccount({ status: 201, body: '{}' }),
    'acme-ca-garbage',
    /does not answer as/,
  ],
  ['a redirect', () => ({ status: 302 }), 'acme-ca-garbage', /answers with 302/],
  [
    'a directory that is not there',
    () => ({ status: 404, body: 'no' }),
    'acme-ca-garbage',
    /answers with 404/,
  ],
  [
    'an error of its own',
    () => ({ status: 500, body: 'oops' }),
    'acme-ca-failed',
    /an error of its own \(500\)/,
  ],
  ['maintenance', () => problem('serverInternal', 'back soon', 503), 'acme-ca-failed', /\(503\)/],
  ['terms', atAccount(problem('userActionRequired', 'agree')), 'acme-terms', /terms of service/],
  ['an account binding', atAccount(problem('externalAccountRequired', 'eab')), 'acme-eab', /known customers/],
  ['a bad address', atAccount(problem('invalidContact', 'no MX')), 'acme-email', /acmeEmail: no MX/],
  ['a bad name', atAccount(problem('rejectedIdentifier', 'policy')), 'acme-name-refused', /policy/],
  [
    'something else',
    atAccount(problem('unauthorized', 'deactivated')),
    'acme-refused',
    /refuses: deactivated/,
  ],
  [
    'nonces that are never good',
    atAccount(problem('badNonce', 'stale', 400)),
    'acme-ca-garbage',
    /does not answer/,
  ],
  ['an unknown name', networkError('ENOTFOUND'), 'acme-ca-unreachable', /its name is not known to the DNS/],
  ['a closed port', networkError('ECONNREFUSED'), 'acme-ca-unreachable', /it refuses connections/],
  [
    'a stranger',
    networkError('UNABLE_TO_VERIFY_LEAF_SIGNATURE'),
    'acme-ca-untrusted',
    /not signed by anyone trusted/,
  ],
  ['an expired server', networkError('CERT_HAS_EXPIRED'), 'acme-clock-wrong', /By the clock of this machine/],
];

for (const [title, reply, code, sentence] of cases) {
  test(`the authority gives ${title}: ${code}`, async (t) => {
    const world = await createWorld(t, reply);
    const failure = await failureOf(order(world));
    assert.equal(failure.code, code);
    assert.match(failure.message, sentence);
    assert.equal(world.clock.pending, 0, 'no deadline is left');
  });
}

test('a limit of the authority says until when', async (t) => {
  const answer = { ...problem('rateLimited', 'too many', 429), headers: { 'retry-after': '7200' } };
  const failure = await failureOf(order(await createWorld(t, atAccount(answer))));
  assert.equal(failure.code, 'acme-rate-limited');
  assert.match(failure.message, /until 2026-03-01T14:00:00/);
  assert.equal(failure.retryAfterMs, 7_200_000);
});

test('an authority that hangs is given up after half a minute', async (t) => {
  const world = await createWorld(t, () => new Promise<CaAnswer>(() => undefined));
  const failed = failureOf(order(world));
  await world.clock.advanceAsync(0);
  while (world.requests.length === 0) await world.clock.advanceAsync(0);
  await world.clock.advanceAsync(30_000);
  const failure = await failed;
  assert.equal(failure.code, 'acme-ca-slow');
  assert.equal(failure.message, 'ca.example gave no answer within 30 s.');
});

for (const [title, date, sentence] of [
  ['ahead', 'Sat, 28 Feb 2026 02:00:00 GMT', /34 h ahead of that/],
  ['behind', 'Mon, 02 Mar 2026 12:00:00 GMT', /24 h behind that/],
] as const) {
  test(`a clock that is ${title} is found before anything is ordered`, async (t) => {
    const world = await createWorld(t, () => ({ body: directoryWith(), headers: { date } }));
    const failure = await failureOf(order(world));
    assert.equal(failure.code, 'acme-clock-wrong');
    assert.match(failure.message, sentence);
    assert.deepEqual(
      world.requests.map(({ method }) => method),
      ['GET'],
    );
  });
}

test('files of the settings that are not there are named', async (t) => {
  const missing = '/nowhere/ca.pem';
  const noCa = await failureOf(order(await createWorld(t, atAccount({}), { acmeCaFile: missing })));
  assert.equal(noCa.code, 'acme-ca-file');
  assert.match(noCa.message, /\/nowhere\/ca\.pem/);
  const eab = { acmeEabKeyId: 'kid', acmeEabHmacKeyFile: missing };
  assert.equal((await failureOf(order(await createWorld(t, atAccount({}), eab)))).code, 'acme-eab-file');
});

test('the first order of a name goes to the staging directory, and ends there when the name is at fault', async (t) => {
  const staging = 'https://staging.example/dir';
  const reply: Reply = ({ url }) => {
    if (url.startsWith('https://staging.example')) return problem('rejectedIdentifier', 'no such name');
    throw new Error('production was asked');
  };
  const world = await createWorld(t, reply, {}, () => staging);
  assert.equal((await failureOf(order(world, true))).code, 'acme-name-refused');
  assert.ok(world.requests.every(({ url }) => url.startsWith(staging)));
});

test('a staging directory that is out of order is left out', async (t) => {
  const reply: Reply = ({ url }) => ({ status: url.startsWith('https://staging') ? 503 : 404 });
  const world = await createWorld(t, reply, {}, () => 'https://staging.example/dir');
  assert.equal((await failureOf(order(world, true))).code, 'acme-ca-garbage');
  assert.equal(world.log.all('staging-failed').length, 1);
  assert.equal(world.requests.at(-1)?.url, directoryUrl);
  const later = await createWorld(t, reply, {}, () => 'https://staging.example/dir');
  await failureOf(order(later));
  assert.ok(
    later.requests.every(({ url }) => url === directoryUrl),
    'only the first order is tried out',
  );
});
