import { join } from 'node:path';
import { readTextFile } from '../contracts/read-file.js';

/** The files in which a project names its Python, with what finds it; the first that says something counts. */
const sources: readonly { readonly file: string; readonly pattern: RegExp }[] = [
  { file: '.python-version', pattern: /^[ \t]*(?:cpython-)?(\d+(?:\.\d+){0,2})[ \t]*$/m },
  { file: 'pyproject.toml', pattern: /^[ \t]*requires-python[ \t]*=[ \t]*["']([^"']+)["']/m },
  { file: 'uv.lock', pattern: /^requires-python = "([^"]+)"/m },
  { file: 'Pipfile', pattern: /^[ \t]*python_(?:full_)?version[ \t]*=[ \t]*["']([^"']+)["']/m },
  { file: 'runtime.txt', pattern: /^python-(\d+(?:\.\d+){0,2})[ \t]*$/m },
  { file: '.tool-versions', pattern: /^python[ \t]+(\d+(?:\.\d+){0,2})\b/m },
  { file: 'mise.toml', pattern: /^python[ \t]*=[ \t]*["'](\d+(?:\.\d+){0,2})["']/m },
  { file: 'environment.yml', pattern: /^[ \t]*-[ \t]*python[ \t]*([=<>!~]=?[ \t]*\d[\d.,<>=!~* \t]*)$/m },
  { file: 'setup.cfg', pattern: /^python_requires[ \t]*=[ \t]*(\S.*)$/m },
  // Poetry's own table, before it took requires-python.
  {
    file: 'pyproject.toml',
    pattern: /^\[tool\.poetry\.dependencies\][^[]*?^python[ \t]*=[ \t]*["']([^"']+)["']/m,
  },
];

/** A sentence where the project names another Python than the one that runs it. */
export async function warnOfOtherPython(
  folders: readonly string[],
  { path, version }: { readonly path: string; readonly version: string },
): Promise<readonly string[]> {
  for (const folder of folders) {
    for (const { file, pattern } of sources) {
      const text = await readTextFile(join(folder, file)).catch(() => '');
      const wanted = pattern
        .exec(text)?.[1]
        ?.trim()
        .replace(/^=(?!=)/, '');
      if (wanted === undefined) continue;
      if (meets(version, wanted)) return [];
      return [`${join(folder, file)} asks for Python ${wanted}, but ${path} is Python ${version}.`];
    }
  }
  return [];
}

/**
 * Whether a version is one of those that are wanted: specifiers of
 * https://packaging.python.org/en/latest/specifications/version-specifiers/, Poetry's `^3.10` and `~3.10`, or a bare `3.12`,
 * which is any 3.12. What cannot be read is met.
 */
export function meets(version: string, wanted: string): boolean {
  const alternatives = wanted.split(/\|\|?/);
  return alternatives.some((each) =>
    [...each.matchAll(specifiers)].every((specifier) => meetsOne(version, specifier)),
  );
}

// Private

const specifiers = /(===?|!=|~=|>=|<=|>|<|\^|~)?\s*(\d+(?:\.\d+)*)(\.\*)?/g;

function meetsOne(version: string, [, operator, number = '', isPrefix]: RegExpExecArray): boolean {
  const wanted = number.split('.').map(Number);
  const order = compare(version, wanted);
  const begins = (length: number): boolean => compare(version, wanted.slice(0, length), length) === 0;
  switch (operator) {
    case '>=':
      return order >= 0;
    case '<=':
      return order <= 0;
    case '>':
      return order > 0;
    case '<':
      return order < 0;
    case '!=':
      return isPrefix === undefined ? order !== 0 : !begins(wanted.length);
    case '~=':
      return order >= 0 && begins(wanted.length - 1);
    case '^':
      return order >= 0 && begins(1);
    case '~':
      return order >= 0 && begins(Math.min(2, wanted.length));
    case '==':
    case '===':
      return isPrefix === undefined ? order === 0 : begins(wanted.length);
    default:
      return begins(wanted.length);
  }
}

/** Missing parts are 0, as packaging has it; with `length` only so many parts are looked at. */
function compare(version: string, wanted: readonly number[], length = 3): number {
  const actual = version.split('.').map(Number);
  for (let index = 0; index < length; index++) {
    const difference = (actual[index] ?? 0) - (wanted[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
