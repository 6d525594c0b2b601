import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '../../contracts/clock.js';
import type { CertificateStatus } from '../../contracts/status.js';
import type { TlsMaterial } from '../../contracts/tls-material.js';
import type { Log } from '../../log/log.js';
import type { Settings } from '../../settings/settings.js';
import { AcmeError } from './acme-error.js';
import type { ChallengeAnswers } from './acme-issuer.js';
import { AcmeOrderer, type AcmeSettings, isAcmeChanged, type Orderer, stagingOf } from './acme-orderer.js';
import { type CaFetch, fetchFromCa } from './ca-connection.js';
import type { CertificateFolder } from './certificate-folder.js';
import { RenewalJob } from './renewal-job.js';

/** The part of TlsMaterial that comes from ACME. */
export type AcmeMaterial = Pick<TlsMaterial, 'certificates' | 'httpChallenges' | 'alpnCertificates'>;

export type AcmeManagerSettings = AcmeSettings & Pick<Settings, 'domains'>;

export interface AcmeManagerOptions {
  readonly settings: AcmeManagerSettings;
  readonly folder: CertificateFolder;
  readonly clock: Clock;
  readonly log: Log;
  /** Called with everything at each change. Resolves when every front uses it: only then is the CA told to look. */
  readonly publish: (material: AcmeMaterial) => Promise<void>;
  /** Milliseconds since 1970. */
  readonly wallNow?: () => number;
  readonly random?: () => number;
  readonly fetch?: CaFetch;
  readonly stagingOf?: (directoryUrl: string) => string | undefined;
  /** Replaced by unit tests. */
  readonly createOrderer?: (publishChallenges: PublishChallenges) => Orderer;
}

export type PublishChallenges = (answers: ChallengeAnswers) => Promise<() => Promise<void>>;

/** A worker that hangs must delay neither the orders of other names nor a stop. */
const publishTimeoutMs = 15_000;

/**
 * Keeps a certificate for each domain, by ACME.
 *
 * Each domain has a certificate of its own: one that fails (its DNS entry is wrong) delays no other, and adding a domain
 * repeats no order. Nothing here throws: failures are in status() and in the log, and are tried again.
 */
export class AcmeManager {
  readonly #options: AcmeManagerOptions;
  readonly #answers = new Set<ChallengeAnswers>();
  #settings: AcmeManagerSettings;
  #orderer: Orderer;
  #jobs: ReadonlyMap<string, RenewalJob> = new Map();
  #published: Promise<boolean> = Promise.resolve(true);
  readonly #ending = new Set<Promise<void>>();

  constructor(options: AcmeManagerOptions) {
    this.#options = options;
    this.#settings = options.settings;
    this.#orderer = this.#createOrderer(options.settings);
  }

  /** Returns at once; certificates of the folder are published as soon as they are read. */
  start(): void {
    this.#replaceJobs({ isAnew: false });
  }

  /** Takes over new settings. Certificates that are served stay until there are others. */
  configure(settings: AcmeManagerSettings): void {
    const before = this.#settings;
    const isAnew = isAcmeChanged(before, settings);
    this.#settings = settings;
    if (isAnew) this.#orderer = this.#createOrderer(settings);
    if (isAnew || !isDeepStrictEqual(before.domains, settings.domains)) this.#replaceJobs({ isAnew });
  }

  status(): readonly CertificateStatus[] {
    return [...this.#jobs.values()].map((job) => job.status());
  }

  /** Resolves when no timer, request or lock is left. What was published last stays, for the requests in flight. */
  async stop(): Promise<void> {
    for (const job of this.#jobs.values()) this.#end(job);
    await Promise.all(this.#ending);
    await this.#published;
  }

  // Private

  #replaceJobs({ isAnew }: { isAnew: boolean }): void {
    const before = this.#jobs;
    const after = new Map<string, RenewalJob>();
    const fresh: RenewalJob[] = [];
    for (const domain of this.#settings.domains.map((name) => name.toLowerCase())) {
      if (after.has(domain)) continue;
      const earlier = before.get(domain);
      const job = earlier !== undefined && !isAnew ? earlier : this.#createJob(domain, earlier);
      if (job !== earlier) fresh.push(job);
      after.set(domain, job);
    }
    this.#jobs = after;
    for (const [domain, job] of before) if (after.get(domain) !== job) this.#end(job);
    for (const job of fresh) job.start();
    void this.#publish();
  }

  #createJob(domain: string, earlier: RenewalJob | undefined): RenewalJob {
    const { folder, clock, log, wallNow = Date.now, random = Math.random } = this.#options;
    return new RenewalJob({
      names: [domain],
      directoryUrl: this.#settings.acmeDirectory,
      folder,
      orderer: this.#orderer,
      clock,
      wallNow,
      random,
      log,
      onChange: () => this.#publish(),
      former: earlier?.certificate,
      isRetriedAtOnce: earlier !== undefined,
    });
  }

  #createOrderer(settings: AcmeManagerSettings): Orderer {
    const { folder, clock, log, wallNow = Date.now, fetch = fetchFromCa, createOrderer } = this.#options;
    const publishChallenges: PublishChallenges = (answers) => this.#publishChallenges(answers);
    if (createOrderer !== undefined) return createOrderer(publishChallenges);
    return new AcmeOrderer({
      settings,
      folder,
      clock,
      wallNow,
      fetch,
      log,
      stagingOf: this.#options.stagingOf ?? stagingOf,
      publishChallenges,
    });
  }

  async #publishChallenges(answers: ChallengeAnswers): Promise<() => Promise<void>> {
    const takeBack = async (): Promise<void> => {
      this.#answers.delete(answers);
      await this.#publish();
    };
    this.#answers.add(answers);
    if (await this.#publish()) return takeBack;
    // The CA would look in vain, and count it as a failure.
    await takeBack();
    throw new AcmeError('acme-not-published', 'The fronts did not take the answer to the challenge.');
  }

  /** One at a time, so that no older state replaces a newer one. Resolves with whether the fronts took it. */
  #publish(): Promise<boolean> {
    this.#published = this.#published.then(() => this.#publishNow());
    return this.#published;
  }

  async #publishNow(): Promise<boolean> {
    const { clock, log, publish } = this.#options;
    let cancel: () => void = () => undefined;
    const expired = new Promise<never>((_resolve, reject) => {
      const message = `they did not answer within ${publishTimeoutMs / 1000} s`;
      cancel = clock.after(publishTimeoutMs, () => reject(new Error(message)));
    });
    try {
      await Promise.race([publish(this.#material()), expired]);
      return true;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      const sentence = `the fronts did not take the certificates: ${reason}`;
      log.error('certificates-not-published', sentence, { error: reason });
      return false;
    } finally {
      cancel();
    }
  }

  #material(): AcmeMaterial {
    const answers = [...this.#answers];
    const held = [...this.#jobs.values()].map(({ certificate }) => certificate);
    return {
      certificates: held
        .filter((certificate) => certificate !== undefined)
        .map(({ names, certificatePem, keyPem }) => ({ names, certificatePem, keyPem })),
      httpChallenges: answers.flatMap(({ httpChallenges }) => httpChallenges),
      alpnCertificates: answers.flatMap(({ alpnCertificates }) => alpnCertificates),
    };
  }

  #end(job: RenewalJob): void {
    const ending = job.stop().finally(() => this.#ending.delete(ending));
    this.#ending.add(ending);
  }
}
