import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '../../contracts/clock.js';
import type { OrderError } from '../../contracts/status.js';
import type { CertificateMaterial } from '../../contracts/tls-material.js';
import type { Log } from '../../log/log.js';
import type { Settings } from '../../settings/settings.js';
import type { CertificateFiles } from '../../settings/themes/tls-settings.js';
import { CertificateError } from '../certificate-error.js';
import { type CertificateFacts, type CertificatePair, readCertificatePair } from './certificate-pair.js';

export interface FileCertificatesOptions {
  readonly log: Log;
  readonly clock: Clock;
  /** Milliseconds since 1970. */
  readonly nowMs: () => number;
  /** How long the second file of a pair may take to be replaced. Default 1000. */
  readonly settleMs?: number;
}

/** One of the list: what is served, and why the present files are not, where they are not. */
export interface FileCertificateState {
  readonly facts: CertificateFacts | undefined;
  readonly rejected: OrderError | undefined;
}

type Outcome = { readonly pair: CertificatePair } | { readonly error: CertificateError };

/** The certificates that the settings name, that of tlsCert first. */
export function certificateFilesOf(settings: Settings): readonly CertificateFiles[] {
  const { tlsCert, tlsKey, tlsPassphraseFile, tlsCertificates } = settings;
  if (tlsCert === null) return tlsCertificates;
  const first: CertificateFiles = {
    cert: tlsCert,
    ...(tlsKey !== null && { key: tlsKey }),
    ...(tlsPassphraseFile !== null && { passphraseFile: tlsPassphraseFile }),
  };
  return [first, ...tlsCertificates];
}

/**
 * Certificates that come from files, and not from a CA by ACME.
 *
 * A new one is made for each new list of files; it calls load() once, and refresh() whenever one of `files` has changed.
 */
export class FileCertificates {
  /** To be watched, absolute. */
  readonly files: readonly string[];
  readonly #list: readonly CertificateFiles[];
  readonly #options: FileCertificatesOptions;
  /** In the order of the list; undefined where there never was a good one. */
  #pairs: readonly (CertificatePair | undefined)[];
  readonly #rejected: (OrderError | undefined)[];
  /** Refreshes run one after the other. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(list: readonly CertificateFiles[], options: FileCertificatesOptions) {
    this.#list = list;
    this.#options = options;
    this.#pairs = list.map(() => undefined);
    this.#rejected = list.map(() => undefined);
    const files = list.flatMap(({ cert, key, passphraseFile }) => [cert, key, passphraseFile]);
    this.files = [...new Set(files.filter((file) => file !== undefined))];
  }

  /** Those that can be served; the first one that has a name counts for it. */
  get certificates(): readonly CertificateMaterial[] {
    return this.#pairs.flatMap((pair) => pair?.material ?? []);
  }

  /** Undefined where these files are not in its list; without a pair where none was ever good. */
  find(files: CertificateFiles): { readonly pair: CertificatePair | undefined } | undefined {
    const index = this.#list.findIndex((own) => isDeepStrictEqual(own, files));
    return index < 0 ? undefined : { pair: this.#pairs[index] };
  }

  /** In the order of the list. */
  get states(): readonly FileCertificateState[] {
    return this.#pairs.map((pair, index) => ({ facts: pair?.facts, rejected: this.#rejected[index] }));
  }

  /**
   * Reads all of them for the first time. At a reload everything must be right, because something good serves already.
   * At a start an expired certificate is logged and left out instead: no setting is wrong, and a machine
   * that comes up again must serve what it can. Nor does it hold a reload back when the release before has the same
   * files (`served`), so that new code can go live meanwhile.
   *
   * @throws CertificateError of the first that is wrong
   */
  async load(moment: 'start' | 'reload', served?: FileCertificates): Promise<void> {
    const outcomes = await this.#readAll();
    this.#pairs = outcomes.map((outcome, index) => {
      if ('pair' in outcome) return outcome.pair;
      const earlier = served?.find(this.#list[index] as CertificateFiles);
      const isBearable = outcome.error.isOfTheClock && (moment === 'start' || earlier !== undefined);
      if (!isBearable) throw outcome.error;
      this.#reject(index, outcome.error);
      return earlier?.pair;
    });
    for (const pair of this.#pairs) if (pair !== undefined) this.#logWarnings(pair);
  }

  /**
   * Reads all of them again. A pair that is wrong is logged, and the old one stays.
   * Resolves with whether there is anything new to serve. Rejects only for a bug in easyserve.
   */
  refresh(): Promise<boolean> {
    this.#rejected.fill(undefined);
    return this.catchUp();
  }

  /** The same where nothing may have changed: a rejection that was logged already is not logged again. */
  catchUp(): Promise<boolean> {
    const next = this.#last.then(() => this.#refreshNow());
    this.#last = next.catch(() => undefined); // its caller is told of it
    return next;
  }

  // Private

  async #refreshNow(): Promise<boolean> {
    let outcomes = await this.#readAll();
    if (outcomes.some(isPerhapsHalfWritten)) {
      await this.#settle();
      outcomes = await this.#readAll();
    }
    const before = this.#pairs;
    this.#pairs = outcomes.map((outcome, index) => this.#take(outcome, index));
    return !isDeepStrictEqual(before.map(toMaterial), this.#pairs.map(toMaterial));
  }

  #take(outcome: Outcome, index: number): CertificatePair | undefined {
    const before = this.#pairs[index];
    if ('error' in outcome) {
      if (this.#rejected[index]?.sentence !== outcome.error.message) this.#reject(index, outcome.error);
      return before;
    }
    this.#rejected[index] = undefined;
    if (!isDeepStrictEqual(outcome.pair.material, before?.material)) this.#logReplaced(outcome.pair);
    return outcome.pair;
  }

  #readAll(): Promise<Outcome[]> {
    const nowMs = this.#options.nowMs();
    return Promise.all(this.#list.map((files) => readOutcome(files, nowMs)));
  }

  #settle(): Promise<void> {
    return new Promise((resolve) => this.#options.clock.after(this.#options.settleMs ?? 1000, resolve));
  }

  #reject(index: number, { code, hint, message }: CertificateError): void {
    const at = new Date(this.#options.nowMs()).toISOString();
    this.#rejected[index] = { code, sentence: message, hint, at };
    const isServed = this.#pairs.some((pair) => pair !== undefined);
    const consequence = isServed ? ' What is in use stays in use.' : '';
    this.#options.log.error('certificate-rejected', `${message}${consequence}`, {
      code,
      hint,
      error: message,
    });
  }

  #logReplaced({ facts, warnings, material }: CertificatePair): void {
    const until = new Date(facts.notAfterMs).toISOString();
    const names = material.names;
    const { issuer } = facts;
    this.#options.log.info(
      'certificate-replaced',
      `a new certificate for ${names.join(', ') || 'no name'} is served, valid until ${until.slice(0, 10)}`,
      { names, issuer, until },
    );
    this.#logWarnings({ facts, warnings, material });
  }

  #logWarnings({ facts, warnings }: CertificatePair): void {
    for (const warning of warnings) {
      this.#options.log.warn('certificate-warning', warning, { names: facts.names });
    }
  }
}

async function readOutcome(files: CertificateFiles, nowMs: number): Promise<Outcome> {
  try {
    return { pair: await readCertificatePair(files, nowMs) };
  } catch (error) {
    if (error instanceof CertificateError) return { error };
    throw error;
  }
}

/** Certificate and key are two files, replaced one after the other, and perhaps written bit by bit. */
function isPerhapsHalfWritten(outcome: Outcome): boolean {
  return 'error' in outcome && !outcome.error.isOfTheClock;
}

function toMaterial(pair: CertificatePair | undefined): CertificateMaterial | undefined {
  return pair?.material;
}
