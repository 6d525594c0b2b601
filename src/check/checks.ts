import { accessChecks } from './access-checks.js';
import { addressChecks } from './addresses.js';
import { certificateChecks } from './certificate-checks.js';
import type { Check } from './check.js';
import { clockChecks } from './clock-checks.js';
import { diskChecks } from './disk-space.js';
import { databaseChecks } from './django/database-checks.js';
import { debugChecks } from './django/debug-checks.js';
import { deployChecks } from './django/deploy-checks.js';
import { fileChecks } from './django/file-checks.js';
import { folderChecks } from './django/folder-checks.js';
import { hostChecks } from './django/host-checks.js';
import { processChecks } from './django/process-checks.js';
import { proxyChecks } from './django/proxy-checks.js';
import { secretKeyChecks } from './django/secret-key.js';
import { sqliteChecks } from './django/sqlite-checks.js';
import { timeChecks } from './django/time-checks.js';
import { secretFileChecks } from './secret-files.js';
import { sessionChecks } from './session-checks.js';
import { versionChecks } from './versions.js';

/** Every check; docs/check.md lists them in this order. */
export const checks: readonly Check[] = [
  ...accessChecks,
  ...debugChecks,
  ...secretKeyChecks,
  ...hostChecks,
  ...proxyChecks,
  ...processChecks,
  ...databaseChecks,
  ...sqliteChecks,
  ...folderChecks,
  ...fileChecks,
  ...timeChecks,
  ...secretFileChecks,
  ...certificateChecks,
  ...versionChecks,
  ...diskChecks,
  ...clockChecks,
  ...deployChecks,
  ...addressChecks,
  ...sessionChecks,
];
