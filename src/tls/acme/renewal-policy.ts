import type { IssuedCertificate } from './issued-certificate.js';
import type { OrderRecord, RenewalWindow } from './order-record.js';

// When a certificate is renewed, and when an order that failed is repeated. Pure: times are milliseconds since 1970.

export interface Lifetime {
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  /** 0 to 1, always the same for one certificate: the same after a restart, and for all instances that share a folder. */
  readonly chance: number;
}

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

/** Two thirds of the lifetime, up to a fiftieth earlier by chance. A fixed number of days would fail the short-lived ones. */
const usualShare = 2 / 3;
const jitterShare = 1 / 50;

const retryDelaysMs = [1, 2, 5, 10, 20, 30, 60, 120, 240, 360].map((minutes) => minutes * minuteMs);
const retryJitterShare = 0.1;

/** Rate limits of Let's Encrypt are weekly. Nothing is put off longer than this, whatever anyone asks for. */
export const longestHoldMs = 8 * 24 * hourMs;

const minPollMs = minuteMs;
const maxPollMs = 24 * hourMs;
/** RFC 9773 section 4.3.2: without Retry-After, or where nothing came. */
const usualPollMs = 6 * hourMs;

/**
 * When the next order of a certificate is due: its renewal, or the next try after a failure,
 * whichever is later.
 *
 * @param own undefined: there is none yet, so that it is due now
 * @param isImpatient the settings were changed by hand: only the limits of the CA hold an order back
 */
export function orderDueMs(
  own: IssuedCertificate | undefined,
  record: OrderRecord,
  nowMs: number,
  isImpatient: boolean,
): number {
  const { retryAtMs, lastError } = record;
  const renewalMs = own === undefined ? nowMs : renewalTimeMs(own, windowFor(own, record));
  // Further away than any pause is: written under a clock that was wrong.
  const isBeyondReason = retryAtMs - nowMs > longestHoldMs;
  const isOverruled = isImpatient && lastError?.code !== 'acme-rate-limited';
  return isBeyondReason || isOverruled ? renewalMs : Math.max(renewalMs, retryAtMs);
}

/** A window counts more than the lifetime, but never lets the certificate expire. */
export function renewalTimeMs(certificate: Lifetime, window: RenewalWindow | undefined): number {
  const { notBeforeMs, notAfterMs, chance } = certificate;
  if (window !== undefined && isUsable(window)) {
    const chosenMs = window.startMs + chance * (window.endMs - window.startMs);
    return Math.min(chosenMs, notAfterMs);
  }
  const lifetimeMs = notAfterMs - notBeforeMs;
  return notBeforeMs + lifetimeMs * (usualShare - jitterShare * chance);
}

/** How long to wait after so many failures in a row (at least 1). What the CA asks for counts as the least. */
export function retryDelayMs(
  failures: number,
  retryAfterMs: number | undefined,
  random: () => number,
): number {
  const index = Math.min(Math.max(failures, 1), retryDelaysMs.length) - 1;
  const delayMs = retryDelaysMs[index] ?? usualPollMs;
  const leastMs = Math.min(retryAfterMs ?? 0, longestHoldMs - hourMs);
  return Math.max(delayMs, leastMs) + delayMs * retryJitterShare * random();
}

/** When to ask for the window again. Answers of a second or a year are not taken at their word. */
export function pollDelayMs(retryAfterMs: number | undefined): number {
  return Math.min(Math.max(retryAfterMs ?? usualPollMs, minPollMs), maxPollMs);
}

// Private

/** The window on record may be of the certificate before this one, when another instance has renewed. */
function windowFor({ renewalId }: IssuedCertificate, record: OrderRecord): OrderRecord['window'] {
  return record.renewalId === renewalId ? record.window : undefined;
}

/** RFC 9773 section 4.2: an end that is not after the start makes it invalid. */
function isUsable({ startMs, endMs }: RenewalWindow): boolean {
  return endMs > startMs;
}
