import { join } from 'node:path';
import type { Clock } from './clock.js';
import type { Log } from './log/log.js';
import type { Settings } from './settings/settings.js';
import type { CertificateStatus } from './status.js';
import { CertificateFolder } from './tls/certificate-folder.js';
import { type AcmeMaterial, CertificateKeeper } from './tls/certificate-keeper.js';
import { HstsRamp } from './tls/hsts-ramp.js';
import { keepLocalCertificate } from './tls/local-certificate.js';
import { machineNames } from './tls/machine-names.js';
import { OwnCertificates, ownCertificateFiles } from './tls/own-certificates.js';
import { makePlaceholder } from './tls/placeholder-certificate.js';
import { TicketKeys } from './tls/ticket-keys.js';
import type { CertificateMaterial, TlsMaterial } from './tls-material.js';

export interface CertificatesOptions {
  /** Of ACME accounts and certificates, and of the one for development; by the settings. */
  readonly folderFor: (settings: Settings) => string;
  readonly clock: Clock;
  /** Milliseconds since 1970. */
  readonly wallNow: () => number;
  readonly log: Log;
  /** Gives it to every site; resolves when all have it. */
  readonly publish: (material: TlsMaterial) => Promise<void>;
  /** Calls back when one of the files has changed (watch/). */
  readonly watch: (
    files: readonly string[],
    onChange: () => Promise<void>,
  ) => Promise<{ close(): Promise<void> }>;
}

/** What new settings come to, read and checked, and not in force yet. */
export interface PreparedCertificates {
  readonly settings: Settings;
  readonly own: OwnCertificates;
  readonly local: CertificateMaterial | undefined;
  readonly publicPort: number;
}

const noAcme: AcmeMaterial = { certificates: [], httpChallenges: [], alpnCertificates: [] };

/** Whether the settings want HTTPS: said so, or there is something to serve it with. */
export function wantsHttps(settings: Settings): boolean {
  return settings.https ?? (settings.domains.length > 0 || ownCertificateFiles(settings).length > 0);
}

/**
 * All certificates of an instance, and what the fronts are told of them: own ones from files, those of ACME, one for
 * development, and a stand-in for names that have none yet.
 *
 * Created by launcher, in the supervisor; the fronts get the whole TlsMaterial at each change. Nothing waits for a CA.
 */
export class Certificates {
  readonly #options: CertificatesOptions;
  #ticketKeys: TicketKeys | undefined;
  #ramp: HstsRamp | undefined;
  #keeper: CertificateKeeper | undefined;
  #current: PreparedCertificates | undefined;
  #acme = noAcme;
  /** Of the last release with HTTPS. */
  #keeperSettings: Settings | undefined;
  #placeholder: CertificateMaterial | undefined;
  #watch: { close(): Promise<void> } | undefined;

  constructor(options: CertificatesOptions) {
    this.#options = options;
  }

  /**
   * Reads what new settings name. At a reload everything has to be right, at a start an expired certificate is left out.
   * Without a port HTTPS is off, and there is nothing to prepare. Throws CertificateError; nothing has changed then.
   */
  async prepare(
    settings: Settings,
    publicPort: number | undefined,
    moment: 'start' | 'reload',
  ): Promise<PreparedCertificates | undefined> {
    if (publicPort === undefined) return undefined;
    const { log, clock, wallNow, folderFor } = this.#options;
    const own = new OwnCertificates(ownCertificateFiles(settings), { log, clock, nowMs: wallNow });
    await own.load(moment);
    const isForDevelopment = own.files.length === 0 && settings.domains.length === 0;
    const local = isForDevelopment ? await this.#keepLocal(folderFor(settings)) : undefined;
    return { settings, own, local, publicPort };
  }

  /** Puts what was prepared in force. Undefined: HTTPS is off. */
  async use(prepared: PreparedCertificates | undefined): Promise<void> {
    await this.#watch?.close();
    this.#watch = undefined;
    this.#current = prepared;
    if (prepared === undefined) return;
    const { own, settings } = prepared;
    const { clock, log, folderFor, watch } = this.#options;
    this.#ticketKeys ??= new TicketKeys({ clock, onRotated: () => void this.#publish() });
    if (this.#ramp === undefined) {
      this.#ramp = new HstsRamp(join(folderFor(settings), 'hsts.json'), log);
      await this.#ramp.load();
    }
    await this.#publish();
    if (own.files.length > 0) this.#watch = await watch(own.files, () => this.#refresh(own));
  }

  /** Orders and renews what is missing, from now on: the fronts listen, and will be asked by the CA. */
  keep(): void {
    const settings = this.#current?.settings;
    if (this.#keeper !== undefined) {
      this.#keeper.configure(settings ?? { ...(this.#keeperSettings as Settings), domains: [] });
    } else if (settings !== undefined && settings.domains.length > 0) {
      this.#keeper = this.#createKeeper(settings);
      this.#keeper.start();
    }
    this.#keeperSettings = settings ?? this.#keeperSettings;
  }

  status(): readonly CertificateStatus[] {
    if (this.#current === undefined) return [];
    return [...this.#current.own.facts.map(describeOwn), ...(this.#keeper?.status() ?? [])];
  }

  async stop(): Promise<void> {
    this.#ticketKeys?.stop();
    await this.#watch?.close();
    await this.#keeper?.stop();
  }

  // Private

  #createKeeper(settings: Settings): CertificateKeeper {
    const { clock, wallNow, log, folderFor } = this.#options;
    return new CertificateKeeper({
      settings,
      folder: new CertificateFolder(folderFor(settings), log),
      clock,
      wallNow,
      log,
      publish: async (material) => {
        this.#acme = material;
        await this.#publish();
      },
    });
  }

  async #refresh(own: OwnCertificates): Promise<void> {
    if (await own.refresh()) await this.#publish();
  }

  async #publish(): Promise<void> {
    const current = this.#current;
    if (current === undefined) return;
    await this.#options.publish(await this.#compose(current));
  }

  async #compose({ own, local, settings, publicPort }: PreparedCertificates): Promise<TlsMaterial> {
    const nowMs = this.#options.wallNow();
    const real = [...own.certificates, ...this.#acme.certificates];
    const securedNames = [...new Set(real.flatMap(({ names }) => names))];
    const missing = settings.domains
      .map((name) => name.toLowerCase())
      .filter((name) => !securedNames.includes(name));
    const isFailing = this.#keeper?.status().some(({ state }) => state === 'failing') ?? false;
    await this.#ramp?.note(real.length > 0 && missing.length === 0 && !isFailing, nowMs);
    const certificates = [...real, ...(local === undefined ? [] : [local])];
    if (certificates.length === 0 || missing.length > 0)
      certificates.push(await this.#standIn(missing, nowMs));
    return {
      certificates,
      httpChallenges: this.#acme.httpChallenges,
      alpnCertificates: this.#acme.alpnCertificates,
      ticketKeys: (this.#ticketKeys as TicketKeys).current,
      securedNames,
      hstsMaxAgeSeconds: this.#ramp?.maxAgeSeconds(settings.hsts, nowMs),
      publicPort,
    };
  }

  async #standIn(names: readonly string[], nowMs: number): Promise<CertificateMaterial> {
    const isSame = this.#placeholder?.names.join() === names.join();
    if (this.#placeholder === undefined || !isSame) this.#placeholder = await makePlaceholder(names, nowMs);
    return this.#placeholder;
  }

  async #keepLocal(folder: string): Promise<CertificateMaterial> {
    const { log, wallNow } = this.#options;
    const { material, authorityFile, isNewAuthority } = await keepLocalCertificate(
      folder,
      machineNames(),
      wallNow(),
    );
    log.info('local-certificate', 'HTTPS has a certificate for development, which browsers warn of', {
      hint: `for browsers to trust it, import ${authorityFile} as an authority`,
      authorityFile,
      isNewAuthority,
    });
    return material;
  }
}

// Private

function describeOwn({ names, issuer, notAfterMs }: OwnCertificates['facts'][number]): CertificateStatus {
  return {
    names,
    state: 'valid',
    issuer,
    notAfter: new Date(notAfterMs).toISOString(),
    nextRenewalAt: undefined,
    lastError: undefined,
  };
}
