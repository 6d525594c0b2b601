import type { Clock } from '../../contracts/clock.js';
import type { CertificateStatus } from '../../contracts/status.js';
import type { Log } from '../../log/log.js';
import { AcmeError, toAcmeError } from './acme-error.js';
import type { Orderer } from './acme-orderer.js';
import type { CertificateFolder } from './certificate-folder.js';
import type { IssuedCertificate } from './issued-certificate.js';
import type { OrderLock } from './order-lock.js';
import { emptyRecord, type OrderRecord } from './order-record.js';
import { longestHoldMs, orderDueMs, pollDelayMs, renewalTimeMs, retryDelayMs } from './renewal-policy.js';
import { StoredCertificate } from './stored-certificate.js';

export interface RenewalJobOptions {
  readonly names: readonly string[];
  readonly directoryUrl: string;
  readonly folder: CertificateFolder;
  readonly orderer: Orderer;
  readonly clock: Clock;
  readonly wallNow: () => number;
  readonly random: () => number;
  readonly log: Log;
  /** There is another certificate. Resolves when the fronts have it; never rejects. */
  readonly onChange: () => Promise<unknown>;
  /** What a job with other settings held: served until this one has its own. */
  readonly former: IssuedCertificate | undefined;
  /** Somebody has changed the settings: what failed is tried again at once. */
  readonly isRetriedAtOnce: boolean;
}

/** setTimeout takes 24 days at most (Node doc); besides, machines sleep, clocks are set, and another instance may have renewed. */
const longestPauseMs = 3_600_000;
/** A new certificate that is due for renewal sooner is a sign of a clock that is wrong. */
const leastUseMs = 60_000;
/** Between two looks at the lock of another instance. */
const lockPauseMs = 2_000;

/**
 * Keeps one certificate: looks at the folder, orders when it is time, and tries again when that fails. There is one
 * for each domain, so that none waits for another.
 *
 * It goes in turns, and each begins with what the folder says: another instance may have been there.
 */
export class RenewalJob {
  readonly #options: RenewalJobOptions;
  readonly #lock: OrderLock;
  readonly #ended = new AbortController();
  readonly #stored: StoredCertificate;
  #former: IssuedCertificate | undefined;
  #isOrdering = false;
  #isImpatient: boolean;
  #turn: Promise<void> = Promise.resolve();
  #cancelPause: () => void = () => undefined;

  constructor(options: RenewalJobOptions) {
    this.#options = options;
    const { folder, directoryUrl, names, clock } = options;
    this.#lock = folder.lockFor(directoryUrl, names, clock);
    this.#stored = new StoredCertificate(folder, directoryUrl, names);
    this.#former = options.former;
    this.#isImpatient = options.isRetriedAtOnce;
  }

  get certificate(): IssuedCertificate | undefined {
    return this.#stored.certificate ?? this.#former;
  }

  start(): void {
    this.#turn = this.#takeTurn();
  }

  /** Resolves when no timer, request or lock is left. */
  async stop(): Promise<void> {
    this.#ended.abort();
    this.#cancelPause();
    await this.#turn;
  }

  status(): CertificateStatus {
    const { certificate } = this;
    const { lastError, failures } = this.#stored.record;
    const usual = certificate === undefined ? 'placeholder' : this.#isOrdering ? 'renewing' : 'valid';
    return {
      names: this.#options.names,
      state: failures > 0 && !this.#isOrdering ? 'failing' : usual,
      issuer: certificate?.issuer,
      notAfter: certificate && toIso(certificate.notAfterMs),
      nextRenewalAt: toIso(this.#dueMs()),
      lastError,
    };
  }

  // Private

  async #takeTurn(): Promise<void> {
    let pauseMs: number;
    try {
      pauseMs = await this.#work();
    } catch (error) {
      if (this.#ended.signal.aborted) return;
      pauseMs = await this.#fail(error);
    }
    if (this.#ended.signal.aborted) return;
    this.#cancelPause = this.#options.clock.after(Math.min(Math.max(pauseMs, 0), longestPauseMs), () => {
      this.#turn = this.#takeTurn();
    });
  }

  /** One turn; resolves with the length of the pause after it. */
  async #work(): Promise<number> {
    const { folder, directoryUrl, names, random } = this.#options;
    await this.#readFolder();
    await this.#askWindow();
    if (!this.#isDue()) return this.#pauseMs();
    // The CA is not asked for a certificate that could not be kept.
    await folder.proveWritable(directoryUrl);
    const lock = await this.#lock.tryTake();
    if (lock === undefined) return lockPauseMs * (1 + random());
    try {
      // Another instance may have ordered while we waited for the lock.
      await this.#readFolder();
      if (this.#isDue()) await this.#order(names);
    } finally {
      await lock.release();
    }
    return this.#pauseMs();
  }

  async #readFolder(): Promise<void> {
    const { folder, directoryUrl, names, onChange } = this.#options;
    if (await this.#stored.synchronize()) {
      this.#former = undefined;
      await onChange();
    } else if (this.certificate === undefined) {
      this.#former = await folder.readFormerCertificate(directoryUrl, names);
      if (this.#former !== undefined) await onChange();
    }
  }

  async #order(names: readonly string[]): Promise<void> {
    const { orderer, log, wallNow, onChange } = this.#options;
    const { record, certificate: own } = this.#stored;
    log.info('certificate-order', `a certificate for ${names.join(', ')} is ordered`, { names });
    this.#isOrdering = true;
    this.#isImpatient = false;
    try {
      const { certificate, challenge } = await orderer.order({
        names,
        challenge: record.challenge ?? 'http-01',
        replaces: own?.renewalId,
        isFirst: own === undefined && !record.isStagingPassed,
        onStagingPassed: () => this.#stored.noteStagingPassed(),
        signal: this.#ended.signal,
      });
      // First to the disk: after a crash it would be ordered again. Visitors get it even when the disk is full.
      const unsaved = await errorOf(this.#stored.save(certificate));
      this.#former = undefined;
      await onChange();
      const isOld = renewalTimeMs(certificate, undefined) <= wallNow() + leastUseMs;
      // Failures add up over certificates of no use, so that orders do not follow each other every minute.
      const failures = isOld ? record.failures : 0;
      await this.#stored.saveRecord({ ...emptyRecord, failures, isStagingPassed: true, challenge });
      this.#announce(certificate);
      if (unsaved !== undefined) throw unsaved;
      if (isOld) throw alreadyOld(certificate);
    } finally {
      this.#isOrdering = false;
    }
  }

  #announce({ names, issuer, notAfterMs }: IssuedCertificate): void {
    const notAfter = toIso(notAfterMs);
    const sentence = `there is a certificate for ${names.join(', ')}, valid until ${notAfter}`;
    this.#options.log.info('certificate-issued', sentence, { names, issuer, notAfter });
  }

  /** Without an answer the last window counts, or two thirds of the lifetime. */
  async #askWindow(): Promise<void> {
    const { orderer, log, wallNow, names } = this.#options;
    const { certificate, record } = this.#stored;
    const renewalId = certificate?.renewalId;
    if (renewalId === undefined) return;
    const isKnown = record.renewalId === renewalId;
    const untilPollMs = record.pollAtMs - wallNow();
    if (isKnown && untilPollMs > 0 && untilPollMs <= longestHoldMs) return;
    const { window: before, ...rest } = record;
    const last = isKnown ? before : undefined;
    try {
      const { window, pollInMs, explanationUrl } = await orderer.askRenewal(renewalId, this.#ended.signal);
      await this.#stored.saveRecord({ ...rest, renewalId, window, pollAtMs: wallNow() + pollInMs });
      if (last !== undefined && window !== undefined && window.startMs !== last.startMs) {
        const words = `the certificate authority has moved the renewal of ${names.join(', ')}`;
        log.info('renewal-moved', words, { names, start: toIso(window.startMs), explanationUrl });
      }
    } catch (error) {
      if (this.#ended.signal.aborted) throw error;
      const { message } = toAcmeError(error);
      log.debug('renewal-window-unknown', `the renewal window is not known: ${message}`, { names });
      await this.#stored.saveRecord({
        ...rest,
        renewalId,
        window: last,
        pollAtMs: wallNow() + pollDelayMs(undefined),
      });
    }
  }

  async #fail(error: unknown): Promise<number> {
    const { log, names, random, wallNow } = this.#options;
    const failure = toAcmeError(error);
    const { code, message, hint, detail } = failure;
    const failures = this.#stored.record.failures + 1;
    const delayMs = retryDelayMs(failures, failure.retryAfterMs, random);
    const nowMs = wallNow();
    const record: OrderRecord = {
      ...this.#stored.record,
      failures,
      retryAtMs: nowMs + delayMs,
      lastError: { code, sentence: message, hint, detail, at: toIso(nowMs) },
      // A name that was refused is tried at the staging directory again first.
      isStagingPassed: failure.isFaultOfCa && this.#stored.record.isStagingPassed,
    };
    const nextTryAt = toIso(record.retryAtMs);
    log.error('certificate-failed', `no new certificate for ${names.join(', ')}: ${message}`, {
      names,
      nextTryAt,
      error: message,
      code,
      hint,
      detail,
    });
    await errorOf(this.#stored.saveRecord(record));
    return delayMs;
  }

  #isDue(): boolean {
    return this.#dueMs() <= this.#options.wallNow();
  }

  #dueMs(): number {
    const { certificate, record } = this.#stored;
    return orderDueMs(certificate, record, this.#options.wallNow(), this.#isImpatient);
  }

  #pauseMs(): number {
    const nowMs = this.#options.wallNow();
    const { certificate, record } = this.#stored;
    const untilPollMs = certificate?.renewalId === undefined ? longestPauseMs : record.pollAtMs - nowMs;
    return Math.min(this.#dueMs() - nowMs, Math.max(untilPollMs, 1_000));
  }
}

function alreadyOld({ notAfterMs }: IssuedCertificate): AcmeError {
  const message = `By the clock of this machine the new certificate, valid until ${toIso(notAfterMs)}, is due for renewal already.`;
  return new AcmeError('acme-clock-wrong', message, {
    hint: 'look at `date`, then: sudo timedatectl set-ntp true',
  });
}

/** The error of a promise that rejects; undefined of one that resolves. */
async function errorOf(promise: Promise<void>): Promise<unknown> {
  try {
    await promise;
    return undefined;
  } catch (error) {
    return error;
  }
}

function toIso(ms: number): string {
  return new Date(ms).toISOString();
}
