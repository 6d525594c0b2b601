import assert from 'node:assert/strict';
import type { ConnectionOptions } from 'node:tls';
import { checkAnswer, makeRequest } from './load-request.js';
import { type FailureKind, WireConnection, WireFailure } from './wire-connection.js';

export interface LoadOptions {
  /** Clients at the same time. Each alternates between a fresh connection and one that it keeps. Default: 8. */
  readonly connections?: number;
  /** The load goes on until the action has resolved and this many requests were made. Default: 0. */
  readonly minRequests?: number;
  /** Of the fixture's echo view. */
  readonly path?: string;
  /** For one request. Default: 30 s. */
  readonly requestTimeoutMs?: number;
  /** What the Host header says. Default: that of the URL. */
  readonly host?: string;
  /** For https: whom to trust, and which name to ask for. Default: anybody. */
  readonly tls?: ConnectionOptions;
}

export interface LoadFailure {
  readonly kind: FailureKind;
  /** Milliseconds since the load began. */
  readonly at: number;
  /** On a connection that had served a request before. */
  readonly reused: boolean;
  readonly method: string;
  readonly detail: string;
}

export interface Tally {
  readonly sent: number;
  readonly ok: number;
  /** How many were sent on a connection that had served a request before. */
  readonly reused: number;
  readonly byVersion: Readonly<Record<string, number>>;
  readonly failures: readonly LoadFailure[];
  /** Kept connections that the server ended between two requests, without `Connection: close` in the answer before. */
  readonly idleEnds: readonly string[];
  readonly durationMs: number;
}

/** A load that fails this often proves its point; a refusing server would else fill the memory in seconds. */
const mostFailures = 2_000;

/**
 * Sends requests to the fixture's echo view while `action` runs, and counts every failure by its kind.
 *
 * No retries. Half of the requests go over fresh connections and half over kept ones, GETs and POSTs in turn; every
 * answer is checked against its own request, byte for byte. Rejects only when the action does. Several URLs: the clients are spread over them.
 */
export async function loadDuring(
  urls: string | readonly string[],
  options: LoadOptions,
  action: () => Promise<unknown>,
): Promise<Tally> {
  const addresses = [urls].flat().map((url) => new URL(options.path ?? '/echo', url));
  const load = new Load(options);
  const connections = options.connections ?? 8;
  const clients = Array.from({ length: connections }, (_, index) => {
    const address = addresses[index % addresses.length];
    if (address === undefined) throw new Error('loadDuring needs a URL');
    return load.runClient(address, String(index));
  });
  try {
    await action();
  } finally {
    load.finish();
    await Promise.all(clients);
  }
  return load.tally();
}

/** Fails unless every request was answered well, at least so many of them, half of them on kept connections, and by each version. */
export function expectNoFailures(
  tally: Tally,
  expected: { atLeast: number; versions?: readonly string[]; mayEndIdle?: boolean },
): void {
  const picture = describeTally(tally);
  assert.equal(tally.failures.length, 0, `requests failed\n${picture}`);
  assert.ok(tally.ok === tally.sent, `requests were lost count of\n${picture}`);
  assert.ok(tally.ok >= expected.atLeast, `fewer than ${expected.atLeast} requests\n${picture}`);
  assert.ok(tally.reused >= tally.sent * 0.4, `too few requests on kept connections\n${picture}`);
  for (const version of expected.versions ?? []) {
    assert.ok((tally.byVersion[version] ?? 0) > 0, `no answer from ${version}\n${picture}`);
  }
  if (!expected.mayEndIdle) assert.equal(tally.idleEnds.length, 0, `kept connections were ended\n${picture}`);
}

/** For messages: numbers, failures by kind, and the first few in full. */
export function describeTally(tally: Tally): string {
  const { failures, idleEnds, ...numbers } = tally;
  const kinds: Record<string, number> = {};
  for (const { kind } of failures) kinds[kind] = (kinds[kind] ?? 0) + 1;
  const first = failures.slice(0, 10).map((failure) => JSON.stringify(failure));
  const ends = `${idleEnds.length} kept connections ended idle ${JSON.stringify([...new Set(idleEnds)])}`;
  return [JSON.stringify(numbers), `failures ${JSON.stringify(kinds)}; ${ends}`, ...first].join('\n');
}

/** Of each client, so that what the action has brought about is asked for too, however fast it was: a fresh one and a kept one. */
const requestsAfterAction = 2;

/** One run of loadDuring. */
class Load {
  readonly #options: LoadOptions;
  readonly #startedAtMs = performance.now();
  readonly #byVersion: Record<string, number> = {};
  readonly #failures: LoadFailure[] = [];
  readonly #idleEnds: string[] = [];
  #sent = 0;
  #ok = 0;
  #reused = 0;
  #isFinishing = false;

  constructor(options: LoadOptions) {
    this.#options = options;
  }

  /** The action is over. */
  finish(): void {
    this.#isFinishing = true;
  }

  /** One client: a request over a fresh connection, one over its kept connection, and again. */
  async runClient(url: URL, tag: string): Promise<void> {
    const address = { host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port || 80) };
    const { host = url.host, tls = { rejectUnauthorized: false } } = this.#options;
    const secure = url.protocol === 'https:' ? tls : undefined;
    let kept: WireConnection | undefined;
    let left = requestsAfterAction;
    for (let n = 0; this.#shallGoOn || (this.#mayGoOn && left > 0); n++) {
      if (!this.#shallGoOn) left -= 1;
      const keepAlive = n % 2 === 1;
      if (kept?.idleEnd !== undefined) {
        this.#idleEnds.push(kept.idleEnd);
        kept = undefined;
      }
      const usable: WireConnection | undefined = keepAlive && kept?.isOpen ? kept : undefined;
      const connection = usable ?? new WireConnection(address, secure);
      if (keepAlive) kept = connection;
      await this.#request(connection, { path: url.pathname, host, tag, keepAlive }, n);
      if (!keepAlive) connection.close();
    }
    if (kept?.idleEnd !== undefined) this.#idleEnds.push(kept.idleEnd);
    kept?.close();
  }

  tally(): Tally {
    return {
      sent: this.#sent,
      ok: this.#ok,
      reused: this.#reused,
      byVersion: this.#byVersion,
      failures: this.#failures,
      idleEnds: this.#idleEnds,
      durationMs: Math.round(performance.now() - this.#startedAtMs),
    };
  }

  get #mayGoOn(): boolean {
    return this.#failures.length < mostFailures;
  }

  get #shallGoOn(): boolean {
    if (!this.#mayGoOn) return false;
    return !this.#isFinishing || this.#sent < (this.#options.minRequests ?? 0);
  }

  async #request(
    connection: WireConnection,
    target: { path: string; host: string; tag: string; keepAlive: boolean },
    n: number,
  ): Promise<void> {
    const request = makeRequest(n, target);
    const reused = connection.served > 0;
    this.#sent += 1;
    if (reused) this.#reused += 1;
    try {
      const response = await connection.send(
        request.method,
        request.bytes,
        this.#options.requestTimeoutMs ?? 30_000,
      );
      const version = checkAnswer(request, response);
      this.#byVersion[version] = (this.#byVersion[version] ?? 0) + 1;
      this.#ok += 1;
    } catch (error) {
      if (!(error instanceof WireFailure)) throw error;
      const at = Math.round(performance.now() - this.#startedAtMs);
      this.#failures.push({ kind: error.kind, at, reused, method: request.method, detail: error.message });
    }
  }
}
