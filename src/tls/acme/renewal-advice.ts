import { AcmeError } from './acme-error.js';
import { describeRefusal, parseJson, readRetryAfterMs } from './acme-problem.js';
import type { CaConnection } from './ca-connection.js';
import type { RenewalWindow } from './order-record.js';
import { pollDelayMs } from './renewal-policy.js';

/** What the CA says about a certificate's renewal, and when to ask again (milliseconds from now). */
export interface RenewalAdvice {
  /** Undefined where the CA has no such offer. */
  readonly window: RenewalWindow | undefined;
  readonly pollInMs: number;
  /** Where the CA tells people why the window was moved. */
  readonly explanationUrl: string | undefined;
}

/**
 * Asks for the renewal window of a certificate: ARI, RFC 9773; acme-client knows nothing of it.
 * Throws AcmeError where there is no answer, or one that says nothing.
 */
export async function askRenewalAdvice(
  connection: CaConnection,
  directoryUrl: string,
  renewalId: string,
  nowMs: number,
): Promise<RenewalAdvice> {
  const { renewalInfo } = await readObject(connection, directoryUrl, nowMs);
  if (typeof renewalInfo !== 'string') {
    return { window: undefined, pollInMs: pollDelayMs(Number.POSITIVE_INFINITY), explanationUrl: undefined };
  }
  const url = `${renewalInfo.replace(/\/$/, '')}/${renewalId}`;
  const { suggestedWindow, explanationURL, retryAfterMs } = await readObject(connection, url, nowMs);
  const window = toWindow(suggestedWindow);
  if (window === undefined) {
    throw new AcmeError(
      'acme-ca-garbage',
      'The renewal window that the certificate authority suggests is none.',
    );
  }
  return {
    window,
    pollInMs: pollDelayMs(retryAfterMs),
    explanationUrl: typeof explanationURL === 'string' ? explanationURL : undefined,
  };
}

// Private

interface Read extends Record<string, unknown> {
  readonly retryAfterMs: number | undefined;
}

async function readObject(connection: CaConnection, url: string, nowMs: number): Promise<Read> {
  const answer = await connection.ask({ method: 'get', url });
  if (answer.status !== 200) throw describeRefusal(answer, url, nowMs);
  const value = parseJson(answer.body);
  if (typeof value !== 'object' || value === null) {
    throw new AcmeError('acme-ca-garbage', `${url} gives no JSON object.`);
  }
  return { ...value, retryAfterMs: readRetryAfterMs(answer.headers['retry-after'], nowMs) };
}

function toWindow(given: unknown): RenewalWindow | undefined {
  if (typeof given !== 'object' || given === null) return undefined;
  const { start, end } = given as { start?: unknown; end?: unknown };
  if (typeof start !== 'string' || typeof end !== 'string') return undefined;
  const [startMs, endMs] = [Date.parse(start), Date.parse(end)];
  return endMs > startMs ? { startMs, endMs } : undefined;
}
