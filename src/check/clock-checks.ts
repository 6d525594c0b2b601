import { join } from 'node:path';
import type { Check } from './check.js';

/** When this was written: no right clock shows less. */
const writtenMs = Date.UTC(2026, 0, 1);
/** Clocks of two machines differ by minutes, time zones by less than a day. */
const dayMs = 24 * 3600 * 1000;

const fix = 'timedatectl set-ntp true; timedatectl shows whether it is right then';

export const clockChecks: readonly Check[] = [
  {
    name: 'clock-wrong',
    severity: 'error',
    doc: 'The clock of the machine is before this version of easyserve, or before the files of the project',
    isQuick: true,
    async find({ project, machine }) {
      const { nowMs } = machine;
      const now = toDay(nowMs);
      if (nowMs < writtenMs) {
        const message = `The clock of this machine says ${now}: certificates and sessions are not valid then.`;
        return [{ message, fix }];
      }
      for (const name of ['manage.py', 'package.json', 'pyproject.toml', 'easyserve.toml']) {
        const path = join(project.root, name);
        const file = await machine.readFile(path);
        if (file === undefined || file.mtimeMs < nowMs + dayMs) continue;
        const message = `The clock of this machine says ${now}, and ${path} is of ${toDay(file.mtimeMs)}.`;
        return [{ message, fix, severity: 'warning' }];
      }
      return [];
    },
  },
  {
    name: 'clock-adrift',
    severity: 'note',
    doc: 'No time server keeps the clock of the machine right (asked of `timedatectl`)',
    isQuick: false,
    find: async ({ machine }) =>
      (await machine.isClockKept()) === false
        ? [{ message: 'No time server keeps the clock of this machine right.', fix }]
        : [],
  },
];

// Private

function toDay(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}
