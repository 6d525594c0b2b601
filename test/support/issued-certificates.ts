import type { Issued } from '../../src/tls/acme/acme-issuer.js';
import type { Orderer, OrderRequest } from '../../src/tls/acme/acme-orderer.js';
import { type IssuedCertificate, readIssuedCertificate } from '../../src/tls/acme/issued-certificate.js';
import type { RenewalAdvice } from '../../src/tls/acme/renewal-advice.js';
import { signCertificate } from '../../src/tls/sign-certificate.js';

const dayMs = 86_400_000;

/** The authority of all certificates of a test file: making keys takes time. */
const authority = signCertificate({
  commonName: 'test authority',
  names: [],
  isAuthority: true,
  notBeforeMs: 0,
  notAfterMs: 4_102_444_800_000,
});

/** A real certificate, valid for 90 days from `fromMs` (since 1970) unless `days` says otherwise. */
export async function makeIssued(
  names: readonly string[],
  fromMs: number,
  days = 90,
): Promise<IssuedCertificate> {
  const issuer = await authority;
  const pair = await signCertificate({
    commonName: 'test',
    names,
    issuer,
    notBeforeMs: fromMs,
    notAfterMs: fromMs + days * dayMs,
  });
  return readIssuedCertificate(pair.certificatePem + issuer.certificatePem, pair.keyPem, names);
}

/** Gives certificates without a CA, or throws what the test has put into `failures`. */
export class FakeOrderer implements Orderer {
  readonly requests: OrderRequest[] = [];
  /** Thrown by the next orders for a name, in turn. */
  readonly failures = new Map<string, unknown[]>();
  /** Answered to the questions for a window, the last one again and again. */
  advice: RenewalAdvice[] = [{ window: undefined, pollInMs: dayMs, explanationUrl: undefined }];
  questions = 0;
  /** An order waits until this resolves. */
  gate: Promise<void> = Promise.resolve();
  days = 90;
  readonly #wallNow: () => number;

  constructor(wallNow: () => number) {
    this.#wallNow = wallNow;
  }

  async order(request: OrderRequest): Promise<Issued> {
    this.requests.push(request);
    await this.gate;
    const failure = this.failures.get(request.names[0] ?? '')?.shift();
    if (failure !== undefined) throw failure;
    // Whole seconds, as certificates have.
    const fromMs = Math.floor(this.#wallNow() / 1000) * 1000;
    return {
      certificate: await makeIssued(request.names, fromMs, this.days),
      challenge: request.challenge,
    };
  }

  async askRenewal(): Promise<RenewalAdvice> {
    this.questions++;
    const [next, ...later] = this.advice;
    if (next === undefined) throw new Error('the test has no advice');
    if (later.length > 0) this.advice = later;
    return next;
  }
}
