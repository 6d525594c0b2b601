import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AcmeError } from '../../../../src/tls/acme/acme-error.js';
import {
  type ChallengeAnswers,
  type IssueOptions,
  issueCertificate,
} from '../../../../src/tls/acme/acme-issuer.js';
import type { AcmeAuthorization, AcmeOrder, AcmeSession } from '../../../../src/tls/acme/acme-session.js';
import type { IssuedCertificate } from '../../../../src/tls/acme/issued-certificate.js';
import { FakeClock } from '../../../support/fake-clock.js';
import { makeIssued } from '../../../support/issued-certificates.js';

const names = ['example.com', 'www.example.com'];

/** A CA that finds what the test says; it writes down what it is asked, and what is published. */
class FakeSession implements AcmeSession {
  readonly events: string[] = [];
  /** By kind of challenge: the problem that its check ends with. */
  readonly problems: Record<string, { type: string; detail: string } | undefined> = {};
  /** Names whose authorization is valid from an order before. */
  proven: readonly string[] = [];
  orderError: AcmeError | undefined;
  finalStatus = 'valid';
  #asked: string | undefined;
  #isFinalized = false;
  readonly #issued: IssuedCertificate;

  constructor(issued: IssuedCertificate) {
    this.#issued = issued;
  }

  async register(): Promise<string> {
    return 'https://ca.example/account/1';
  }

  async createOrder(ordered: readonly string[], replaces: string | undefined): Promise<AcmeOrder> {
    this.events.push(`order ${ordered.join(' ')}${replaces === undefined ? '' : ` for ${replaces}`}`);
    const error = this.orderError;
    this.orderError = undefined;
    if (error !== undefined) throw error;
    this.#asked = undefined;
    return { url: 'https://ca.example/order/1', status: 'pending', authorizations: [], finalize: 'f' };
  }

  async readOrder(order: AcmeOrder): Promise<AcmeOrder> {
    const error = { type: 'urn:ietf:params:acme:error:caa', detail: 'forbidden' };
    return { ...order, status: this.#isFinalized ? this.finalStatus : 'ready', error };
  }

  async readAuthorizations(): Promise<readonly AcmeAuthorization[]> {
    return names.map((value) => {
      const problem = this.#asked === undefined ? undefined : this.problems[this.#asked];
      const isProven = this.proven.includes(value) || (this.#asked !== undefined && problem === undefined);
      const status = isProven ? 'valid' : problem === undefined ? 'pending' : 'invalid';
      const challenges = ['http-01', 'tls-alpn-01', 'dns-01'].map((type) => {
        const error = type === this.#asked ? problem : undefined;
        return { type, url: `${type} of ${value}`, token: `token-${value}`, status: 'pending', error };
      });
      return { identifier: { value }, status, challenges };
    });
  }

  async keyAuthorization(challenge: { token: string }): Promise<string> {
    return `${challenge.token}.thumb`;
  }

  async alpnCertificate(name: string): Promise<{ certificatePem: string; keyPem: string }> {
    return { certificatePem: `certificate for ${name}`, keyPem: 'key' };
  }

  async completeChallenge(challenge: { url: string; type: string }): Promise<void> {
    this.events.push(`look at ${challenge.url}`);
    this.#asked = challenge.type;
  }

  async finalize(): Promise<string> {
    this.events.push('finalize');
    this.#isFinalized = true;
    return this.#issued.keyPem;
  }

  async readCertificate(): Promise<string> {
    return this.#issued.certificatePem;
  }

  readonly publish = async (answers: ChallengeAnswers): Promise<() => Promise<void>> => {
    const { httpChallenges, alpnCertificates } = answers;
    const answered = [
      ...httpChallenges.map(({ token, keyAuthorization }) => `${token}=${keyAuthorization}`),
      ...alpnCertificates.map(({ certificatePem }) => certificatePem),
    ];
    this.events.push(`publish ${answered.join(', ')}`);
    return async () => {
      this.events.push('take back');
    };
  };
}

async function createSession(): Promise<FakeSession> {
  return new FakeSession(await makeIssued(names, Date.now()));
}

function optionsFor(session: FakeSession, changed: Partial<IssueOptions> = {}): IssueOptions {
  return {
    session,
    clock: new FakeClock(),
    signal: new AbortController().signal,
    names,
    keyType: 'ecdsa',
    challenge: 'http-01',
    replaces: undefined,
    publishChallenges: session.publish,
    ...changed,
  };
}

async function failureOf(promise: Promise<unknown>): Promise<AcmeError> {
  const error = await promise.catch((reason: unknown) => reason);
  assert.ok(error instanceof AcmeError, String(error));
  return error;
}

test('the answers are published before the authority looks, and taken back after', async () => {
  const session = await createSession();
  const { certificate, challenge } = await issueCertificate(optionsFor(session));
  assert.equal(challenge, 'http-01');
  assert.deepEqual(certificate.names, names);
  assert.deepEqual(session.events, [
    'order example.com www.example.com',
    'publish token-example.com=token-example.com.thumb, token-www.example.com=token-www.example.com.thumb',
    'look at http-01 of example.com',
    'look at http-01 of www.example.com',
    'take back',
    'finalize',
  ]);
});

test('only names that are not proven yet are looked at', async () => {
  const session = await createSession();
  session.proven = ['example.com'];
  await issueCertificate(optionsFor(session, { challenge: 'tls-alpn-01' }));
  assert.deepEqual(session.events.slice(1, 3), [
    'publish certificate for www.example.com',
    'look at tls-alpn-01 of www.example.com',
  ]);
  const proven = await createSession();
  proven.proven = names;
  await issueCertificate(optionsFor(proven));
  assert.deepEqual(proven.events, ['order example.com www.example.com', 'finalize']);
});

const unauthorized = { type: 'urn:ietf:params:acme:error:unauthorized', detail: 'Invalid response: 404' };

test('the other kind of challenge gets an order of its own', async () => {
  const session = await createSession();
  session.problems['http-01'] = unauthorized;
  const { challenge } = await issueCertificate(optionsFor(session));
  assert.equal(challenge, 'tls-alpn-01');
  assert.equal(session.events.filter((event) => event.startsWith('order')).length, 2);
  assert.equal(session.events.filter((event) => event === 'take back').length, 2);
});

test('of two failed kinds the first is told, with the words of both', async () => {
  const session = await createSession();
  session.problems['http-01'] = unauthorized;
  session.problems['tls-alpn-01'] = { type: 'urn:ietf:params:acme:error:tls', detail: 'handshake failure' };
  const failure = await failureOf(issueCertificate(optionsFor(session)));
  assert.equal(failure.code, 'acme-wrong-answer');
  assert.match(failure.message, /^Port 80 of example\.com answers from another machine/);
  assert.equal(failure.detail, 'http-01: Invalid response: 404\ntls-alpn-01: handshake failure');
  assert.equal(session.events.at(-1), 'take back');
});

test('what the other kind cannot mend is not tried by it', async () => {
  const session = await createSession();
  session.problems['http-01'] = { type: 'urn:ietf:params:acme:error:dns', detail: 'DNS problem: NXDOMAIN' };
  const failure = await failureOf(issueCertificate(optionsFor(session)));
  assert.equal(failure.message, 'The DNS does not know example.com.');
  assert.equal(session.events.filter((event) => event.startsWith('order')).length, 1);
});

test('a certificate that was replaced already is no reason not to renew', async () => {
  const session = await createSession();
  session.orderError = new AcmeError('acme-refused', 'replaced', { problemType: 'alreadyReplaced' });
  await issueCertificate(optionsFor(session, { replaces: 'abc.def' }));
  assert.deepEqual(session.events.slice(0, 2), [
    'order example.com www.example.com for abc.def',
    'order example.com www.example.com',
  ]);
});

test('an order that is given up after all: CAA', async () => {
  const session = await createSession();
  session.finalStatus = 'invalid';
  assert.equal((await failureOf(issueCertificate(optionsFor(session)))).code, 'acme-caa');
});

test('a certificate of other names or another key is none', async () => {
  const session = new FakeSession(await makeIssued(['other.example'], Date.now()));
  const failure = await failureOf(issueCertificate(optionsFor(session)));
  assert.equal(failure.code, 'acme-ca-garbage');
  assert.match(failure.detail ?? '', /not for example\.com/);
});

test('an authority that never decides is given up, and a stop ends the waiting', async () => {
  const session = await createSession();
  session.finalStatus = 'processing';
  const clock = new FakeClock();
  const failed = failureOf(issueCertificate(optionsFor(session, { clock })));
  await clock.advanceAsync(130_000);
  assert.equal((await failed).code, 'acme-ca-slow');

  const stop = new AbortController();
  const slow = await createSession();
  slow.finalStatus = 'processing';
  const stopped = failureOf(issueCertificate(optionsFor(slow, { clock, signal: stop.signal })));
  await clock.advanceAsync(1_000);
  stop.abort();
  assert.equal((await stopped).code, 'acme-stopped');
  assert.equal(clock.pending, 0);
});
