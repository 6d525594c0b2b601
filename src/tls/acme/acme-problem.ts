import { AcmeError, hostOf } from './acme-error.js';
import type { CaAnswer } from './ca-connection.js';

/** A problem document: RFC 7807, RFC 8555 section 6.7. */
export interface Problem {
  readonly type: string;
  readonly detail: string;
}

export type ChallengeType = 'http-01' | 'tls-alpn-01';

const portOf: Readonly<Record<ChallengeType, number>> = { 'http-01': 80, 'tls-alpn-01': 443 };

/** The answer was no success. `nowMs`: since 1970. */
export function describeRefusal(answer: CaAnswer, url: string, nowMs: number): AcmeError {
  const problem = readProblem(parseJson(answer.body));
  const retryAfterMs = readRetryAfterMs(answer.headers['retry-after'], nowMs);
  const host = hostOf(url);
  const more = { detail: problem?.detail, retryAfterMs, problemType: problem?.type };
  if (problem?.type === 'rateLimited' || answer.status === 429) return rateLimited(host, more, nowMs);
  if (answer.status >= 500) {
    return new AcmeError(
      'acme-ca-failed',
      `${host} answers with an error of its own (${answer.status}).`,
      more,
    );
  }
  if (problem === undefined) {
    const message = `${host} answers with ${answer.status}, and not in the words of a certificate authority.`;
    return new AcmeError('acme-ca-garbage', message, { ...more, hint: directoryHint });
  }
  return refused(host, problem, more);
}

/** A challenge that the CA tried and found failing: the error of its challenge object. */
export function describeFailedChallenge(name: string, challenge: ChallengeType, given: unknown): AcmeError {
  const { type, detail } = readProblem(given) ?? { type: 'unknown', detail: 'no reason given' };
  const { code, message, hint } = challengeWords(type, name, portOf[challenge], detail);
  return new AcmeError(code, message, { hint, detail: `${challenge}: ${detail}`, problemType: type });
}

/** Whether the other kind of challenge might do: it meets another port, but the same DNS. */
export function mayOtherChallengeHelp(failure: AcmeError): boolean {
  return ['acme-unreachable', 'acme-wrong-answer', 'acme-tls', 'acme-challenge-failed'].includes(
    failure.code,
  );
}

export const directoryHint = 'is acmeDirectory the URL of an ACME directory? Ask for it with curl';

/** undefined for what is no problem document. */
export function readProblem(given: unknown): Problem | undefined {
  if (typeof given !== 'object' || given === null || !('type' in given)) return undefined;
  const { type, detail } = given as { type: unknown; detail?: unknown };
  if (typeof type !== 'string') return undefined;
  const text = typeof detail === 'string' ? detail : '';
  return { type: type.replace(/^urn:ietf:params:acme:error:/, ''), detail: text.slice(0, 1000) };
}

export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // no JSON, so nothing that a reader of it finds anything in
  }
}

/** Retry-After: seconds or a date (RFC 9110 section 10.2.3), in milliseconds from now; undefined where it says nothing. */
export function readRetryAfterMs(header: string | undefined, nowMs: number): number | undefined {
  if (header === undefined) return undefined;
  const text = header.trim();
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1000;
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : Math.max(0, date - nowMs);
}

// Private

interface More {
  readonly detail: string | undefined;
  readonly retryAfterMs: number | undefined;
  readonly problemType: string | undefined;
}

function rateLimited(host: string, more: More, nowMs: number): AcmeError {
  const { retryAfterMs } = more;
  const until = retryAfterMs === undefined ? '' : ` until ${new Date(nowMs + retryAfterMs).toISOString()}`;
  return new AcmeError('acme-rate-limited', `${host} takes no more orders${until}: its limit is reached.`, {
    ...more,
    hint: 'nothing to do: the order is repeated then',
  });
}

function refused(host: string, { type, detail }: Problem, more: More): AcmeError {
  const { code, message, hint } = refusalWords(type, host, detail);
  return new AcmeError(code, message, { ...more, hint });
}

interface Words {
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
}

function refusalWords(type: string, host: string, detail: string): Words {
  switch (type) {
    case 'userActionRequired':
    case 'agreementRequired': {
      const message = `${host} wants its terms of service to be agreed to.`;
      return { code: 'acme-terms', message, hint: 'read them, then set acmeAgreeTerms = true' };
    }
    case 'externalAccountRequired': {
      const message = `${host} gives certificates only to known customers.`;
      const hint = 'ask there for an EAB key, and set acmeEabKeyId and acmeEabHmacKeyFile';
      return { code: 'acme-eab', message, hint };
    }
    case 'caa': {
      const message = `The CAA records of the domain forbid ${host} to give a certificate.`;
      const hint = 'dig CAA of the domain names who may: change the record, or acmeDirectory';
      return { code: 'acme-caa', message, hint };
    }
    case 'rejectedIdentifier':
    case 'unsupportedIdentifier':
      return { code: 'acme-name-refused', message: `${host} gives no certificate for this name: ${detail}` };
    case 'invalidContact':
    case 'unsupportedContact':
      return { code: 'acme-email', message: `${host} does not take the address of acmeEmail: ${detail}` };
    default:
      return { code: 'acme-refused', message: `${host} refuses: ${detail === '' ? type : detail}` };
  }
}

function challengeWords(given: string, name: string, port: number, detail: string): Words {
  // Pebble and others call it a failed connection when they found no address to connect to.
  const type = given === 'connection' && /resolv/i.test(detail) ? 'dns' : given;
  switch (type) {
    case 'dns': {
      const hint = `dig ${name} must show the address of this machine`;
      return { code: 'acme-dns', message: dnsMessage(name, detail), hint };
    }
    case 'caa': {
      const message = `The CAA records of ${name} forbid this certificate authority.`;
      return { code: 'acme-caa', message, hint: `dig CAA ${name}` };
    }
    case 'connection':
      return {
        code: 'acme-unreachable',
        message: connectionMessage(name, port, detail),
        hint: `dig ${name} must show the address of this machine, and its firewall (and the provider's) must let port ${port} in`,
      };
    case 'unauthorized':
    case 'incorrectResponse':
      return {
        code: 'acme-wrong-answer',
        message: `Port ${port} of ${name} answers from another machine, or another server on this one.`,
        hint: `dig ${name} must show the address of this machine only (AAAA too), and port ${port} must lead to easyserve`,
      };
    case 'tls':
      return {
        code: 'acme-tls',
        message: `Port ${port} of ${name} does not speak TLS with the certificate authority.`,
        hint: `port ${port} must lead to easyserve, without a proxy that ends TLS before it`,
      };
    default: {
      const message = `The certificate authority could not check ${name}: ${detail}`;
      return { code: 'acme-challenge-failed', message, hint: `dig ${name}` };
    }
  }
}

function dnsMessage(name: string, detail: string): string {
  if (/NXDOMAIN/i.test(detail)) return `The DNS does not know ${name}.`;
  if (/SERVFAIL/i.test(detail)) return `The DNS servers of ${name} fail.`;
  return `The DNS has no usable address for ${name}.`;
}

function connectionMessage(name: string, port: number, detail: string): string {
  if (/refused/i.test(detail)) return `Port ${port} of ${name} refuses connections.`;
  return `Port ${port} of ${name} can't be reached from the internet.`;
}
