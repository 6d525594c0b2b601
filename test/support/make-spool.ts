import type { Clock } from '../../src/contracts/clock.js';
import { BufferBudget, type BufferLimits, type DiskSpace } from '../../src/front/buffers/buffer-budget.js';
import { Spool } from '../../src/front/buffers/spool.js';
import type { Log } from '../../src/log/log.js';
import { FakeClock } from './fake-clock.js';

const plenty: BufferLimits = { memoryBytes: 2 ** 40, diskBytes: 2 ** 40, minFreePercent: 0, fronts: 1 };

export interface BudgetShape extends Partial<BufferLimits> {
  readonly clock?: Clock;
  readonly readDiskSpace?: () => DiskSpace | undefined;
}

/** A budget with as much room as it says: by default enough for everything. */
export function makeBudget({
  clock = new FakeClock(),
  readDiskSpace = () => undefined,
  ...limits
}: BudgetShape = {}): BufferBudget {
  const budget = new BufferBudget({ clock, readDiskSpace });
  budget.configure({ ...plenty, ...limits });
  return budget;
}

/** A spool in a folder of the test. */
export function makeSpool(folder: string, log: Log, shape: BudgetShape = {}): Spool {
  return new Spool(folder, makeBudget(shape), log);
}
