import type { Clock } from '../contracts/clock.js';
import type { CertificateStatus } from '../contracts/status.js';
import type { CertificateMaterial, TlsMaterial } from '../contracts/tls-material.js';
import { ByServerName } from '../front/listen/tls/by-server-name.js';
import type { Log } from '../log/log.js';
import { type Settings, wantsHttps } from '../settings/settings.js';
import { AcmeManager, type AcmeMaterial } from '../tls/acme/acme-manager.js';
import { CertificateFolder } from '../tls/acme/certificate-folder.js';
import {
  certificateFilesOf,
  type FileCertificateState,
  FileCertificates,
} from '../tls/files/file-certificates.js';
import { HstsRamp } from '../tls/hsts-ramp.js';
import { keepLocalCertificate, machineNames, makePlaceholder } from '../tls/local-certificate.js';
import { TicketKeys } from '../tls/ticket-keys.js';

export interface CertificatesOptions {
  /** Of ACME accounts and certificates, and of the one for development; by the settings. */
  readonly folderFor: (settings: Settings) => string;
  /** Since when HTTPS of this site works without a failure. */
  readonly hstsFile: string;
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

/** What new settings name, read and checked, but not in force yet. */
export interface PreparedCertificates {
  readonly settings: Settings;
  readonly own: FileCertificates;
  readonly local: CertificateMaterial | undefined;
}

interface Current extends PreparedCertificates {
  readonly publicPort: number;
}

const noAcme: AcmeMaterial = { certificates: [], httpChallenges: [], alpnCertificates: [] };

/**
 * All certificates of an instance, in the supervisor: own ones from files, those of ACME, one for development, and a stand-in
 * for names that have none yet. The fronts get the whole TlsMaterial at each change. Nothing waits for a CA.
 */
export class Certificates {
  readonly #options: CertificatesOptions;
  #ticketKeys: TicketKeys | undefined;
  #ramp: HstsRamp | undefined;
  #current: Current | undefined;
  #manager: AcmeManager | undefined;
  /** Of the last release with HTTPS. */
  #managerSettings: Settings | undefined;
  /** Of a folder that the settings have left. */
  #formerManager: Promise<void> | undefined;
  #acme = noAcme;
  #placeholder: CertificateMaterial | undefined;
  #watch: { close(): Promise<void> } | undefined;
  #published: Promise<void> = Promise.resolve();

  constructor(options: CertificatesOptions) {
    this.#options = options;
  }

  /**
   * Reads what new settings name; undefined where they want no HTTPS. While something serves already everything has to be
   * right; at a start an expired certificate is left out. Throws CertificateError; nothing has changed then.
   */
  async prepare(settings: Settings, moment: 'start' | 'reload'): Promise<PreparedCertificates | undefined> {
    if (!wantsHttps(settings)) return undefined;
    const { log, clock, wallNow, folderFor } = this.#options;
    const own = new FileCertificates(certificateFilesOf(settings), { log, clock, nowMs: wallNow });
    await own.load(moment, this.#current?.own);
    const isForDevelopment = own.files.length === 0 && settings.domains.length === 0;
    const local = isForDevelopment ? await this.#keepLocal(folderFor(settings)) : undefined;
    return { settings, own, local };
  }

  /** Puts what was prepared in force, at this port. Undefined: HTTPS is off. Resolves when every site has it. */
  async use(prepared: PreparedCertificates | undefined, publicPort: number | undefined): Promise<void> {
    await this.#watch?.close();
    this.#watch = undefined;
    this.#current = undefined;
    if (prepared === undefined || publicPort === undefined) return;
    const { own } = prepared;
    const { clock, log, hstsFile, watch } = this.#options;
    this.#current = { ...prepared, publicPort };
    this.#ticketKeys ??= new TicketKeys({ clock, onRotated: () => void this.#publishLater() });
    if (this.#ramp === undefined) {
      this.#ramp = new HstsRamp(hstsFile, log);
      await this.#ramp.load();
    }
    if (own.files.length > 0) {
      this.#watch = await watch(own.files, () => this.#refresh(own));
      // They may have changed before the watch began, while the application was started.
      await own.catchUp();
    }
    await this.#takeKept(prepared.settings);
    await this.#publish();
  }

  /** Orders and renews what is missing, from now on: the fronts listen, and will be asked by the CA. */
  keep(): void {
    const settings = this.#current?.settings;
    const before = this.#managerSettings;
    const { folderFor } = this.#options;
    this.#managerSettings = settings ?? before;
    if (settings !== undefined && before !== undefined && folderFor(settings) !== folderFor(before)) {
      this.#formerManager = this.#manager?.stop();
      this.#manager = undefined;
    }
    if (this.#manager !== undefined) {
      this.#manager.configure(settings ?? { ...(before as Settings), domains: [] });
    } else if (settings !== undefined && settings.domains.length > 0) {
      this.#manager = this.#createManager(settings);
      this.#manager.start();
    }
  }

  status(): readonly CertificateStatus[] {
    if (this.#current === undefined) return [];
    return [...this.#current.own.states.map(describeOwn), ...(this.#manager?.status() ?? [])];
  }

  async stop(): Promise<void> {
    this.#ticketKeys?.stop();
    await this.#watch?.close();
    await this.#formerManager;
    await this.#manager?.stop();
  }

  // Private

  #createManager(settings: Settings): AcmeManager {
    const { clock, wallNow, log, folderFor } = this.#options;
    return new AcmeManager({
      settings,
      folder: new CertificateFolder(folderFor(settings), log),
      clock,
      wallNow,
      log,
      publish: async (material) => {
        this.#acme = { ...material, certificates: this.#withFormer(material.certificates) };
        await this.#publish();
      },
    });
  }

  async #takeKept(settings: Settings): Promise<void> {
    const { folderFor, log } = this.#options;
    const folder = new CertificateFolder(folderFor(settings), log);
    const wanted = missingOf(settings, this.#acme.certificates);
    const kept = await folder.readKept(settings.acmeDirectory, wanted);
    const missing = missingOf(settings, this.#acme.certificates);
    const taken = kept.filter(({ names }) => names.some((name) => missing.includes(name)));
    this.#acme = { ...this.#acme, certificates: [...this.#acme.certificates, ...taken] };
  }

  /** In another folder there may be none yet for a name: the one that was served is served on. */
  #withFormer(certificates: readonly CertificateMaterial[]): readonly CertificateMaterial[] {
    const settings = this.#current?.settings;
    const missing = settings === undefined ? [] : missingOf(settings, certificates);
    const former = this.#acme.certificates.filter(({ names }) =>
      names.some((name) => missing.includes(name)),
    );
    return [...certificates, ...former];
  }

  async #refresh(own: FileCertificates): Promise<void> {
    if (await own.refresh()) await this.#publishLater();
  }

  /** Nobody waits for it: what was published before stays in force when it fails. */
  async #publishLater(): Promise<void> {
    try {
      await this.#publish();
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      const sentence = `the fronts did not take the certificates: ${reason}`;
      this.#options.log.error('certificates-not-published', sentence, { error: reason });
    }
  }

  /** One after the other, so that an older state never comes after a newer one. */
  #publish(): Promise<void> {
    const published = this.#published.then(() => this.#publishNow());
    this.#published = published.catch(() => {}); // the caller hears of it
    return published;
  }

  async #publishNow(): Promise<void> {
    const current = this.#current;
    if (current === undefined) return;
    await this.#options.publish(await this.#compose(current));
  }

  async #compose({ own, local, settings, publicPort }: Current): Promise<TlsMaterial> {
    const nowMs = this.#options.wallNow();
    const real = [...own.certificates, ...this.#acme.certificates];
    const securedNames = [...new Set(real.flatMap(({ names }) => names))];
    const missing = missingOf(settings, real);
    await this.#noteHealth(real.length > 0 && missing.length === 0, nowMs);
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

  /** A certificate that is not there yet, as at each start, is no failure. */
  async #noteHealth(isComplete: boolean, nowMs: number): Promise<void> {
    const isFailing = this.status().some(({ state }) => state === 'failing');
    if (isFailing || isComplete) await this.#ramp?.note(!isFailing, nowMs);
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
    if (this.#current?.local !== undefined && !isNewAuthority) return material;
    log.info('local-certificate', 'HTTPS has a certificate for development, which browsers warn of', {
      hint: `for browsers to trust it, import ${authorityFile} as an authority`,
      authorityFile,
      isNewAuthority,
    });
    return material;
  }
}

// Private

/** Domains that none of the certificates is for, lower case. */
function missingOf({ domains }: Settings, certificates: readonly CertificateMaterial[]): readonly string[] {
  const present = new ByServerName(certificates.map(({ names }) => ({ names, value: true })));
  return domains.map((name) => name.toLowerCase()).filter((name) => present.find(name) === undefined);
}

function describeOwn({ facts, rejected }: FileCertificateState): CertificateStatus {
  return {
    names: facts?.names ?? [],
    state: rejected === undefined ? 'valid' : 'failing',
    issuer: facts?.issuer,
    notAfter: facts && new Date(facts.notAfterMs).toISOString(),
    nextRenewalAt: undefined,
    lastError: rejected,
  };
}
