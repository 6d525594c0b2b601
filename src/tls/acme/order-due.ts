import type { IssuedCertificate } from './issued-certificate.js';
import type { OrderRecord } from './order-record.js';
import { longestHoldMs, renewalTimeMs } from './renewal-policy.js';

/**
 * When the next order of a certificate is due (milliseconds since 1970): its renewal, or the next try after a failure,
 * whichever is later. Pure; used by tls/certificate-task.
 *
 * @param own undefined: there is none yet, so that it is due now
 * @param isImpatient the person has changed the settings: only the limits of the CA hold an order back
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

/** The window on record may be of the certificate before this one, when another instance has renewed. */
function windowFor({ renewalId }: IssuedCertificate, record: OrderRecord): OrderRecord['window'] {
  return record.renewalId === renewalId ? record.window : undefined;
}
