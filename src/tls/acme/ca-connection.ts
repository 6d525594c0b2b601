import { request as requestHttps } from 'node:https';
import { rootCertificates } from 'node:tls';
import type { Clock } from '../../contracts/clock.js';
import { readTextFile } from '../../contracts/read-file.js';
import { AcmeError, brokenOff, describeNetworkError } from './acme-error.js';

/** A request to a certificate authority. */
export interface CaRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
  /** Root certificates to trust beside the usual ones, PEM. */
  readonly caPem: string | undefined;
  readonly signal: AbortSignal;
}

export interface CaAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Injected, so that tests need no network. Rejects with what the network said, and when the signal is aborted. */
export type CaFetch = (request: CaRequest) => Promise<CaAnswer>;

/** A certificate chain has a few KiB. */
const maxAnswerBytes = 1_048_576;

const requestTimeoutMs = 30_000;

/** For certificates that are valid for six days a clock must not be off by more. */
const maxClockSkewMs = 60 * 60 * 1000;

export const fetchFromCa: CaFetch = (request) =>
  new Promise((resolve, reject) => {
    const { method, headers, body, caPem, signal } = request;
    // Undefined is Node's own list, with what NODE_EXTRA_CA_CERTS adds.
    const ca = caPem === undefined ? undefined : [...rootCertificates, caPem];
    const outgoing = requestHttps(request.url, { method, headers, ca, signal, agent: false }, (incoming) => {
      const parts: Buffer[] = [];
      let bytes = 0;
      incoming.on('data', (part: Buffer) => {
        bytes += part.length;
        if (bytes > maxAnswerBytes) incoming.destroy(new Error('the answer is far too long'));
        else parts.push(part);
      });
      incoming.on('error', reject);
      incoming.on('end', () => {
        const text = Buffer.concat(parts).toString('utf8');
        resolve({ status: incoming.statusCode ?? 0, headers: flatten(incoming.headers), body: text });
      });
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });

export interface CaConnectionOptions {
  readonly fetch: CaFetch;
  readonly clock: Clock;
  /** Milliseconds since 1970, as this machine has them. */
  readonly wallNow: () => number;
  /** Setting acmeCaFile. */
  readonly caFile: string | null;
  /** Ends every request. */
  readonly signal: AbortSignal;
}

/**
 * HTTPS to a certificate authority, with a deadline; failures are AcmeErrors. acme-client sends by it too: its own requests are
 * repeated for minutes by timers that nothing can cancel, and have no deadline.
 */
export class CaConnection {
  readonly #options: CaConnectionOptions;
  #caPem: string | undefined;

  constructor(options: CaConnectionOptions) {
    this.#options = options;
  }

  /**
   * Resolves with an answer of any status. Throws AcmeError `acme-ca-unreachable`, `acme-ca-untrusted`, `acme-clock-wrong`
   * and others.
   */
  async ask(request: {
    method: string;
    url: string;
    headers?: Record<string, string>;
    body?: string | undefined;
  }): Promise<CaAnswer> {
    const { clock, fetch, signal } = this.#options;
    const caPem = await this.#readCaFile();
    const deadline = new AbortController();
    const cancel = clock.after(requestTimeoutMs, () => deadline.abort());
    const ended = AbortSignal.any([signal, deadline.signal]);
    try {
      const { method, url, body } = request;
      // RFC 8555 section 6.1 asks for a user agent.
      const headers = { ...request.headers, 'User-Agent': 'easyserve' };
      const asked = fetch({ method: method.toUpperCase(), url, headers, body, caPem, signal: ended });
      // The deadline holds even for a fetch that ignores its signal.
      const answer = await Promise.race([asked, rejectWhen(ended)]);
      this.#checkClock(answer);
      return answer;
    } catch (error) {
      if (error instanceof AcmeError) throw error;
      if (signal.aborted) throw brokenOff();
      throw describeNetworkError(error, request.url, deadline.signal.aborted ? requestTimeoutMs : undefined);
    } finally {
      cancel();
    }
  }

  // Private

  async #readCaFile(): Promise<string | undefined> {
    const { caFile } = this.#options;
    if (caFile === null) return undefined;
    try {
      this.#caPem ??= await readTextFile(caFile);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new AcmeError('acme-ca-file', `The file of acmeCaFile can't be read: ${reason}`, {
        hint: 'name a readable PEM file in acmeCaFile, or leave it out for a public certificate authority',
      });
    }
    return this.#caPem;
  }

  /** Orders under a wrong clock would be repeated until the CA's limits stop them. */
  #checkClock(answer: CaAnswer): void {
    const caNow = Date.parse(answer.headers.date ?? '');
    if (Number.isNaN(caNow)) return;
    const skewMs = this.#options.wallNow() - caNow;
    if (Math.abs(skewMs) <= maxClockSkewMs) return;
    const hours = Math.round(Math.abs(skewMs) / 3_600_000);
    throw new AcmeError(
      'acme-clock-wrong',
      `The clock of this machine is ${hours} h ${skewMs > 0 ? 'ahead of' : 'behind'} that of the certificate authority.`,
      { hint: 'sudo timedatectl set-ntp true' },
    );
  }
}

function rejectWhen(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    const abort = (): void => reject(new Error('the request was broken off'));
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
  });
}

function flatten(headers: NodeJS.Dict<string | string[]>): Record<string, string> {
  const flat: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) flat[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  return flat;
}
