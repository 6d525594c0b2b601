import { SettingsError } from '../contracts/errors.js';

/** One thing that is wrong with the settings; several are reported at once. */
export interface Problem {
  readonly code:
    | 'unknown-setting'
    | 'malformed-setting'
    | 'misplaced-setting'
    | 'setting-not-trusted'
    | 'duplicate-setting'
    | 'conflicting-settings';
  readonly message: string;
  readonly hint?: string | undefined;
}

/** Throws SettingsError where there are problems: the first is the error, the rest stands in its detail, a line each. */
export function throwProblems([first, ...rest]: readonly Problem[]): void {
  if (first === undefined) return;
  const lines = rest.map(({ message, hint }) => (hint === undefined ? message : `${message} (${hint})`));
  throw new SettingsError(first.code, first.message, {
    hint: first.hint,
    detail: lines.length === 0 ? undefined : lines.join('\n'),
  });
}
