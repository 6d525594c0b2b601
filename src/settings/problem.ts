import { SettingsError } from '../contracts/errors.js';

/** One thing that is wrong with the settings; several are reported at once. */
export interface Problem {
  readonly code:
    | 'unknown-setting'
    | 'malformed-setting'
    | 'misplaced-setting'
    | 'duplicate-setting'
    | 'conflicting-settings';
  readonly message: string;
  readonly hint?: string | undefined;
}

/** The first problem is the error, the rest stands in its detail, a line each. */
export function toSettingsError(problems: readonly [Problem, ...Problem[]]): SettingsError {
  const [first, ...rest] = problems;
  const lines = rest.map(({ message, hint }) => (hint === undefined ? message : `${message} (${hint})`));
  return new SettingsError(first.code, first.message, {
    hint: first.hint,
    detail: lines.length === 0 ? undefined : lines.join('\n'),
  });
}

export function isNotEmpty<T>(list: readonly T[]): list is readonly [T, ...T[]] {
  return list.length > 0;
}
