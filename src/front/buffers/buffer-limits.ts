import type { Settings } from '../../settings/settings.js';
import type { BufferLimits } from './buffer-budget.js';

/** `auto`: so much of the memory, and no more than a machine needs that serves thousands of slow clients. */
const MEMORY_SHARE = 1 / 16;
const MAX_AUTOMATIC_MEMORY_BYTES = 128 * 1024 * 1024;

/** What one of `fronts` may hold on a machine, or in a container, with so much memory. */
export function bufferLimitsOf(
  settings: Pick<Settings, 'bufferMemoryBytes' | 'spoolMaxBytes' | 'spoolMinFreePercent'>,
  { memoryBytes, fronts }: { readonly memoryBytes: number; readonly fronts: number },
): BufferLimits {
  const { bufferMemoryBytes, spoolMaxBytes, spoolMinFreePercent } = settings;
  const memory =
    bufferMemoryBytes === 'auto'
      ? Math.min(memoryBytes * MEMORY_SHARE, MAX_AUTOMATIC_MEMORY_BYTES)
      : bufferMemoryBytes;
  const disk = spoolMaxBytes === 'auto' ? Number.MAX_SAFE_INTEGER : spoolMaxBytes;
  return {
    memoryBytes: Math.floor(memory / fronts),
    diskBytes: Math.floor(disk / fronts),
    minFreePercent: spoolMinFreePercent,
    fronts,
  };
}
