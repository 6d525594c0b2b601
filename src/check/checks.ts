import { accessChecks } from './access-checks.js';
import { addressChecks } from './addresses.js';
import type { Check } from './check.js';
import { debugChecks } from './django/debug-checks.js';
import { fileChecks } from './django/file-checks.js';
import { hostChecks } from './django/host-checks.js';

/** Every check; docs/check.md lists them in this order. */
export const checks: readonly Check[] = [
  ...debugChecks,
  ...hostChecks,
  ...fileChecks,
  ...accessChecks,
  ...addressChecks,
];
