/** `error`: the site, or a part of it, does not work so. `warning`: it works, and will hurt. `note`: perhaps not as it was meant. */
export const severities = ['error', 'warning', 'note'] as const;
export type Severity = (typeof severities)[number];

/** What a deployment gets wrong: the interface of `easyserve check --json` (docs/check.md). */
export interface Finding {
  /** Stable, kebab-case; it can be silenced by it. Django's own checks keep their id: `django.security.W004`. */
  readonly name: string;
  readonly severity: Severity;
  /** Why, in one line. */
  readonly message: string;
  /** What to type or to write; '' where nobody can tell. */
  readonly fix: string;
}

/** The worst first; those of one severity in the order of `findings`. */
export function sortFindings<T extends Finding>(findings: readonly T[]): readonly T[] {
  const rank = ({ severity }: Finding): number => severities.indexOf(severity);
  return [...findings].sort((one, other) => rank(one) - rank(other));
}
