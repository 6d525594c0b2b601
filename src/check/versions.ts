import { djangoFactsOf, interpreterOf } from '../contracts/project-facts.js';
import type { Check, Fault, Subject } from './check.js';

/**
 * Until when the makers mend security faults, by day. From devguide.python.org/versions, djangoproject.com/download and
 * github.com/nodejs/Release; a version that is not listed yet is newer than this page.
 */
const lastDays = {
  Python: {
    '3.8': '2024-10-07',
    '3.9': '2025-10-31',
    '3.10': '2026-10-31',
    '3.11': '2027-10-31',
    '3.12': '2028-10-31',
    '3.13': '2029-10-31',
    '3.14': '2030-10-31',
  },
  Django: {
    '3.2': '2024-04-01',
    '4.0': '2023-04-01',
    '4.1': '2023-12-01',
    '4.2': '2026-04-30',
    '5.0': '2025-04-02',
    '5.1': '2025-12-31',
    '5.2': '2028-04-30',
    '6.0': '2027-04-30',
  },
  'Node.js': {
    '20': '2026-04-30',
    '21': '2024-06-01',
    '22': '2027-04-30',
    '23': '2025-06-01',
    '24': '2028-04-30',
    '25': '2026-06-01',
  },
} as const satisfies Record<string, Readonly<Record<string, string>>>;

type Product = keyof typeof lastDays;

const earlier = 'for years';

export const versionChecks: readonly Check[] = [
  {
    name: 'python-unsupported',
    severity: 'warning',
    doc: 'A Python that gets no security fixes any more (a note for the one of the system, which the distribution may mend)',
    isQuick: false,
    find({ project, machine }) {
      const python = interpreterOf(project);
      if (python === undefined) return [];
      const isOfSystem = /^\/usr\/bin\//.test(python.path);
      const fix = `make the virtual environment anew with a later Python: python${newest('Python', machine.nowMs)} -m venv .venv`;
      return findEnded('Python', python.version, fix, machine).map((fault) =>
        isOfSystem ? { ...fault, severity: 'note' } : fault,
      );
    },
  },
  {
    name: 'django-unsupported',
    severity: 'warning',
    doc: 'A Django that gets no security fixes any more',
    isQuick: false,
    find({ project, machine }) {
      const django = djangoFactsOf(project);
      if (django === undefined) return [];
      const fix = `python -m pip install "Django~=${newest('Django', machine.nowMs)}.0", after its release notes`;
      return findEnded('Django', django.version, fix, machine);
    },
  },
  {
    name: 'node-unsupported',
    severity: 'warning',
    doc: 'A Node.js that gets no security fixes any more; easyserve itself runs on it',
    isQuick: false,
    find({ machine }) {
      const fix = `install Node.js ${newest('Node.js', machine.nowMs)}: https://nodejs.org/en/download`;
      return findEnded('Node.js', machine.nodeVersion.replace(/^v/, ''), fix, machine);
    },
  },
];

// Private

function findEnded(
  product: Product,
  version: string,
  fix: string,
  { nowMs }: Subject['machine'],
): readonly Fault[] {
  const day = lastDayOf(product, version);
  if (day === undefined || (day !== earlier && nowMs < endOf(day))) return [];
  const since = day === earlier ? day : `since ${day}`;
  return [{ message: `${product} ${version} has had no security fixes ${since}.`, fix }];
}

function lastDayOf(product: Product, version: string): string | undefined {
  const table: Readonly<Record<string, string>> = lastDays[product];
  const numbers = version.split('.').map((part) => Number.parseInt(part, 10));
  const series = product === 'Node.js' ? `${numbers[0]}` : `${numbers[0]}.${numbers[1]}`;
  const [oldest = ''] = Object.keys(table);
  return table[series] ?? (isBefore(numbers, oldest) ? earlier : undefined);
}

function isBefore([major = 0, minor = 0]: readonly number[], series: string): boolean {
  const [firstMajor = 0, firstMinor = 0] = series.split('.').map(Number);
  return major < firstMajor || (major === firstMajor && minor < firstMinor);
}

/** The one that is mended longest, of those that are mended still. */
function newest(product: Product, nowMs: number): string {
  const rows = Object.entries(lastDays[product]).sort(([, one], [, other]) => one.localeCompare(other));
  const [series = ''] = rows.filter(([, day]) => nowMs < endOf(day)).at(-1) ?? rows.at(-1) ?? [];
  return series;
}

function endOf(day: string): number {
  return Date.parse(`${day}T23:59:59Z`);
}
