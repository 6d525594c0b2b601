import type { OrderError } from '../../contracts/status.js';
import type { ChallengeType } from './acme-problem.js';

/** The time in which the CA wants a renewal: ARI, RFC 9773 section 4.2. */
export interface RenewalWindow {
  readonly startMs: number;
  readonly endMs: number;
}

/**
 * How the orders of one certificate went; on disk, so that a restart does not repeat at once what just failed.
 * Times are milliseconds since 1970.
 */
export interface OrderRecord {
  /** In a row, since the last success. */
  readonly failures: number;
  /** No order before this time; 0: no limit. */
  readonly retryAtMs: number;
  readonly lastError?: OrderError | undefined;
  /** What worked last time; it is tried first. */
  readonly challenge?: ChallengeType | undefined;
  /** An order at the staging directory went well. */
  readonly isStagingPassed: boolean;
  readonly window?: RenewalWindow | undefined;
  /** When the CA is asked for the window again. */
  readonly pollAtMs: number;
  /** The certificate that `window` belongs to. */
  readonly renewalId?: string | undefined;
}

export const emptyRecord: OrderRecord = { failures: 0, retryAtMs: 0, isStagingPassed: false, pollAtMs: 0 };

/** Throws where it is no record. */
export function readOrderRecord(given: unknown): OrderRecord {
  if (typeof given !== 'object' || given === null) throw new Error('it is no order record');
  const record = given as Partial<OrderRecord>;
  for (const key of ['failures', 'retryAtMs', 'pollAtMs'] as const) {
    if (typeof record[key] !== 'number') throw new Error(`${key} is no number`);
  }
  const { window } = record;
  if (window !== undefined && (typeof window.startMs !== 'number' || typeof window.endMs !== 'number')) {
    throw new Error('window is none');
  }
  return { ...emptyRecord, ...record };
}
