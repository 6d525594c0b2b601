import type { Clock } from '../../contracts/clock.js';
import type { CertificateMaterial, HttpChallenge } from '../../contracts/tls-material.js';
import type { KeyType } from '../make-private-key.js';
import { AcmeError, brokenOff, hostOf } from './acme-error.js';
import {
  type ChallengeType,
  describeFailedChallenge,
  mayOtherChallengeHelp,
  readProblem,
} from './acme-problem.js';
import type { AcmeAuthorization, AcmeChallenge, AcmeOrder, AcmeSession } from './acme-session.js';
import { type IssuedCertificate, readIssuedCertificate } from './issued-certificate.js';

/** What the fronts must answer while the CA looks. */
export interface ChallengeAnswers {
  readonly httpChallenges: readonly HttpChallenge[];
  readonly alpnCertificates: readonly CertificateMaterial[];
}

export interface IssueOptions {
  readonly session: AcmeSession;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly names: readonly string[];
  readonly keyType: KeyType;
  /** Tried first; the other kind when this one fails. */
  readonly challenge: ChallengeType;
  /** renewalId of the certificate that the new one replaces (RFC 9773 section 5). */
  readonly replaces: string | undefined;
  /** Resolves when every front gives these answers, with a function that takes them back. */
  readonly publishChallenges: (answers: ChallengeAnswers) => Promise<() => Promise<void>>;
}

export interface Issued {
  readonly certificate: IssuedCertificate;
  /** The one that the CA accepted. */
  readonly challenge: ChallengeType;
}

/** The CA looks from several places and with pauses; it may also never decide. */
const decisionTimeoutMs = 120_000;
const pollDelaysMs = [250, 500, 1_000, 2_000, 4_000];

/**
 * Orders one certificate for a set of names: RFC 8555 section 7.4. The account is registered already.
 *
 * A failed challenge ends its order, so that the other kind gets an order of its own.
 * Throws AcmeError: that of the first challenge where both kinds fail.
 */
export async function issueCertificate(options: IssueOptions): Promise<Issued> {
  const { challenge: first } = options;
  try {
    return { certificate: await orderBy(first, options), challenge: first };
  } catch (error) {
    if (!(error instanceof AcmeError) || !mayOtherChallengeHelp(error)) throw error;
    const second = first === 'http-01' ? 'tls-alpn-01' : 'http-01';
    try {
      return { certificate: await orderBy(second, options), challenge: second };
    } catch (secondError) {
      throw withSecond(error, secondError);
    }
  }
}

// Private

async function orderBy(type: ChallengeType, options: IssueOptions): Promise<IssuedCertificate> {
  const { session, names, keyType } = options;
  const order = await createOrder(options);
  const open = (await session.readAuthorizations(order)).filter(({ status }) => status !== 'valid');
  if (open.length > 0) await prove(type, open, order, options);
  await untilOrder(order, ['ready', 'valid'], options);
  const keyPem = await session.finalize(order, names, keyType);
  const done = await untilOrder(order, ['valid'], options);
  const certificatePem = await session.readCertificate(done);
  try {
    return readIssuedCertificate(certificatePem, keyPem, names);
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    throw new AcmeError(
      'acme-ca-garbage',
      `What ${hostOf(order.url)} sent is not the certificate that was ordered.`,
      {
        detail,
        cause: error,
      },
    );
  }
}

async function createOrder({ session, names, replaces }: IssueOptions): Promise<AcmeOrder> {
  try {
    return await session.createOrder(names, replaces);
  } catch (error) {
    // The old one was replaced already, perhaps by an order whose end was not seen here, or is another account's.
    if (replaces === undefined || !(error instanceof AcmeError) || error.code !== 'acme-refused') throw error;
    if (error.problemType === 'accountDoesNotExist') throw error;
    return await session.createOrder(names, undefined);
  }
}

/** Answers are published before the CA is told to look, and taken back afterwards, failed or not. */
async function prove(
  type: ChallengeType,
  open: readonly AcmeAuthorization[],
  order: AcmeOrder,
  options: IssueOptions,
): Promise<void> {
  const { session } = options;
  const chosen = open.map((authorization) => ({ authorization, challenge: pick(authorization, type) }));
  const takeBack = await options.publishChallenges(await answersFor(chosen, session));
  try {
    for (const { challenge } of chosen) {
      if (challenge.status === 'pending') await session.completeChallenge(challenge);
    }
    await untilProven(type, order, options);
  } finally {
    await takeBack();
  }
}

interface Chosen {
  readonly authorization: AcmeAuthorization;
  readonly challenge: AcmeChallenge;
}

function pick({ identifier, challenges }: AcmeAuthorization, type: ChallengeType): AcmeChallenge {
  const challenge = challenges.find((each) => each.type === type);
  if (challenge !== undefined) return challenge;
  throw new AcmeError(
    'acme-challenge-failed',
    `The certificate authority offers no ${type} for ${identifier.value}.`,
  );
}

async function answersFor(chosen: readonly Chosen[], session: AcmeSession): Promise<ChallengeAnswers> {
  const httpChallenges: HttpChallenge[] = [];
  const alpnCertificates: CertificateMaterial[] = [];
  for (const { authorization, challenge } of chosen) {
    const keyAuthorization = await session.keyAuthorization(challenge);
    if (challenge.type === 'http-01') {
      httpChallenges.push({ token: challenge.token, keyAuthorization });
    } else {
      const name = authorization.identifier.value;
      alpnCertificates.push({ names: [name], ...(await session.alpnCertificate(name, keyAuthorization)) });
    }
  }
  return { httpChallenges, alpnCertificates };
}

async function untilProven(type: ChallengeType, order: AcmeOrder, options: IssueOptions): Promise<void> {
  await poll(options, order, async () => {
    const all = await options.session.readAuthorizations(order);
    for (const { identifier, status, challenges } of all) {
      if (status === 'valid' || status === 'pending') continue;
      const failed = challenges.find((each) => each.error !== undefined);
      throw describeFailedChallenge(identifier.value, type, failed?.error);
    }
    return all.every(({ status }) => status === 'valid') ? true : undefined;
  });
}

async function untilOrder(
  order: AcmeOrder,
  wanted: readonly string[],
  options: IssueOptions,
): Promise<AcmeOrder> {
  return poll(options, order, async () => {
    const now = await options.session.readOrder(order);
    if (wanted.includes(now.status)) return now;
    if (now.status !== 'invalid') return undefined;
    const { type, detail } = readProblem(now.error) ?? { type: undefined, detail: 'no reason given' };
    const code = type === 'caa' ? 'acme-caa' : 'acme-refused';
    throw new AcmeError(code, `${hostOf(order.url)} has given up the order: ${detail}`, {
      problemType: type,
    });
  });
}

/** Asks until there is an answer or the time is over: quickly at first, then every few seconds. */
async function poll<T>(
  { clock, signal }: IssueOptions,
  order: AcmeOrder,
  ask: () => Promise<T | undefined>,
): Promise<T> {
  const endMs = clock.now() + decisionTimeoutMs;
  for (let turn = 0; ; turn++) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (clock.now() >= endMs) {
      const seconds = decisionTimeoutMs / 1000;
      throw new AcmeError('acme-ca-slow', `${hostOf(order.url)} did not decide within ${seconds} s.`);
    }
    await pause(clock, signal, pollDelaysMs[Math.min(turn, pollDelaysMs.length - 1)] ?? 0);
  }
}

function pause(clock: Clock, signal: AbortSignal, delayMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      cancel();
      reject(brokenOff());
    };
    const cancel = clock.after(delayMs, () => {
      signal.removeEventListener('abort', stop);
      resolve();
    });
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
}

function withSecond(first: AcmeError, second: unknown): AcmeError {
  if (second instanceof AcmeError && second.code === 'acme-stopped') return second;
  const words = second instanceof AcmeError ? (second.detail ?? second.message) : String(second);
  return new AcmeError(first.code, first.message, {
    hint: first.hint,
    detail: [first.detail, words].join('\n'),
    cause: second,
    retryAfterMs: second instanceof AcmeError ? second.retryAfterMs : undefined,
    problemType: first.problemType,
  });
}
