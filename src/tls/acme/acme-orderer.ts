import type { Clock } from '../../contracts/clock.js';
import { readTextFile } from '../../contracts/read-file.js';
import { Semaphore } from '../../contracts/semaphore.js';
import type { Log } from '../../log/log.js';
import type { Settings } from '../../settings/settings.js';
import { AcmeError, hostOf } from './acme-error.js';
import { type ChallengeAnswers, type Issued, issueCertificate } from './acme-issuer.js';
import type { ChallengeType } from './acme-problem.js';
import type { AcmeSession } from './acme-session.js';
import { CaConnection, type CaFetch } from './ca-connection.js';
import type { CertificateFolder } from './certificate-folder.js';
import { askRenewalAdvice, type RenewalAdvice } from './renewal-advice.js';

const settingKeys = [
  'acmeDirectory',
  'acmeEmail',
  'acmeAgreeTerms',
  'acmeKeyType',
  'acmeEabKeyId',
  'acmeEabHmacKeyFile',
  'acmeCaFile',
] as const satisfies readonly (keyof Settings)[];

/** The settings that orders depend on. */
export type AcmeSettings = Pick<Settings, (typeof settingKeys)[number]>;

export interface OrderRequest {
  readonly names: readonly string[];
  readonly challenge: ChallengeType;
  readonly replaces: string | undefined;
  /** It is tried at the staging directory before, where there is one. */
  readonly isFirst: boolean;
  /** Called when that went well, so that it isn't repeated. */
  readonly onStagingPassed: () => void;
  readonly signal: AbortSignal;
}

export interface AcmeOrdererOptions {
  readonly settings: AcmeSettings;
  readonly folder: CertificateFolder;
  readonly clock: Clock;
  readonly wallNow: () => number;
  readonly fetch: CaFetch;
  readonly log: Log;
  readonly stagingOf: (directoryUrl: string) => string | undefined;
  readonly publishChallenges: (answers: ChallengeAnswers) => Promise<() => Promise<void>>;
}

/** A hundred domains at once would look like an attack to the CA; with one at a time a CA that hangs would hold back all others. */
const ordersAtATime = 4;

/** Orders as the settings say: the account, the trial at the staging directory, then the order itself. */
export class AcmeOrderer {
  readonly #options: AcmeOrdererOptions;
  readonly #semaphore = new Semaphore(ordersAtATime);
  /** By directory: of several first orders one registers the account, and the others wait for it. */
  readonly #registrations = new Map<string, Promise<string>>();

  constructor(options: AcmeOrdererOptions) {
    this.#options = options;
  }

  /** Throws AcmeError, or what the file system says of the certificate folder. */
  order(request: OrderRequest): Promise<Issued> {
    return this.#semaphore.run(async () => {
      const { settings, stagingOf } = this.#options;
      const staging = request.isFirst ? stagingOf(settings.acmeDirectory) : undefined;
      const challenge = staging === undefined ? request.challenge : await this.#tryOut(staging, request);
      return this.#orderAt(settings.acmeDirectory, { ...request, challenge });
    });
  }

  /** Throws AcmeError. */
  askRenewal(renewalId: string, signal: AbortSignal): Promise<RenewalAdvice> {
    const { settings, wallNow } = this.#options;
    return askRenewalAdvice(this.#connect(signal), settings.acmeDirectory, renewalId, wallNow());
  }

  // Private

  /** Resolves with the challenge that worked. A staging directory that is out of order must not prevent the real order. */
  async #tryOut(staging: string, request: OrderRequest): Promise<ChallengeType> {
    try {
      const { challenge } = await this.#orderAt(staging, { ...request, replaces: undefined });
      request.onStagingPassed();
      return challenge;
    } catch (error) {
      if (!(error instanceof AcmeError) || !error.isFaultOfCa) throw error;
      this.#options.log.warn('staging-failed', `the trial order failed, and is left out: ${error.message}`, {
        error: error.message,
        code: error.code,
        detail: error.detail,
      });
      return request.challenge;
    }
  }

  async #orderAt(directoryUrl: string, request: OrderRequest): Promise<Issued> {
    const accountUrl = await this.#accountAt(directoryUrl, request.signal);
    try {
      return await this.#issue(directoryUrl, accountUrl, request);
    } catch (error) {
      // The CA has lost the account, or never had it because the folder came from elsewhere.
      if (!(error instanceof AcmeError) || error.problemType !== 'accountDoesNotExist') throw error;
      const renewed = await this.#register(directoryUrl, request.signal);
      return this.#issue(directoryUrl, renewed, request);
    }
  }

  async #issue(directoryUrl: string, accountUrl: string, request: OrderRequest): Promise<Issued> {
    const { clock, settings, publishChallenges } = this.#options;
    const { names, challenge, replaces, signal } = request;
    const session = await this.#openSession(directoryUrl, accountUrl, signal);
    return issueCertificate({
      session,
      clock,
      signal,
      names,
      keyType: settings.acmeKeyType,
      challenge,
      replaces,
      publishChallenges,
    });
  }

  async #accountAt(directoryUrl: string, signal: AbortSignal): Promise<string> {
    const known = await this.#options.folder.readAccountUrl(directoryUrl);
    return known ?? this.#register(directoryUrl, signal);
  }

  #register(directoryUrl: string, signal: AbortSignal): Promise<string> {
    const running = this.#registrations.get(directoryUrl);
    if (running !== undefined) return running;
    const registration = this.#registerOnce(directoryUrl, signal).finally(() => {
      this.#registrations.delete(directoryUrl);
    });
    this.#registrations.set(directoryUrl, registration);
    return registration;
  }

  async #registerOnce(directoryUrl: string, signal: AbortSignal): Promise<string> {
    const { folder, log, settings } = this.#options;
    const { acmeEmail: email, acmeAgreeTerms: agreesToTerms } = settings;
    const session = await this.#openSession(directoryUrl, undefined, signal);
    const url = await session.register({ email, agreesToTerms });
    await folder.writeAccountUrl(directoryUrl, url);
    log.info('acme-account', `an account with ${hostOf(directoryUrl)} is registered`, { url });
    return url;
  }

  async #openSession(
    directoryUrl: string,
    accountUrl: string | undefined,
    signal: AbortSignal,
  ): Promise<AcmeSession> {
    const { folder, settings, wallNow } = this.#options;
    // Loaded here only: acme-client takes 150 ms and 25 MB.
    const { CaSession } = await import('./acme-session.js');
    return new CaSession({
      directoryUrl,
      accountKeyPem: await folder.accountKey(directoryUrl),
      accountUrl,
      eab: directoryUrl === settings.acmeDirectory ? await readEab(settings) : undefined,
      connection: this.#connect(signal),
      wallNow,
    });
  }

  #connect(signal: AbortSignal): CaConnection {
    const { clock, fetch, settings, wallNow } = this.#options;
    return new CaConnection({ fetch, clock, wallNow, caFile: settings.acmeCaFile, signal });
  }
}

/** What a renewal job orders from; unit tests replace it. */
export type Orderer = Pick<AcmeOrderer, 'order' | 'askRenewal'>;

/** Whether a setting that orders depend on has changed. */
export function isAcmeChanged(before: AcmeSettings, after: AcmeSettings): boolean {
  return settingKeys.some((key) => before[key] !== after[key]);
}

const letsEncrypt = 'https://acme-v02.api.letsencrypt.org/directory';
const letsEncryptStaging = 'https://acme-staging-v02.api.letsencrypt.org/directory';

/** The directory at which the first order of a name is tried out; undefined where none is known. */
export function stagingOf(directoryUrl: string): string | undefined {
  return directoryUrl === letsEncrypt ? letsEncryptStaging : undefined;
}

// Private

async function readEab(settings: AcmeSettings): Promise<{ keyId: string; hmacKey: string } | undefined> {
  const { acmeEabKeyId: keyId, acmeEabHmacKeyFile: path } = settings;
  if (keyId === null || path === null) return undefined;
  try {
    return { keyId, hmacKey: (await readTextFile(path)).trim() };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new AcmeError('acme-eab-file', `The file of acmeEabHmacKeyFile can't be read: ${reason}`, {
      hint: 'put the HMAC key of the certificate authority into a file that this user may read',
    });
  }
}
