/**
 * The arithmetic of the benchmark; tested by test/unit/benchmark/statistics.test.ts. Contenders take turns, round after
 * round, so the values at the same place of two lists were measured at nearly the same time: comparisons are made
 * within a round, and the median of the rounds counts.
 */

export function median(values) {
  const sorted = ascending(values);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** {median, min, max} */
export function spread(values) {
  return { median: median(values), min: Math.min(...values), max: Math.max(...values) };
}

/** The least value that at least `percent` % of all values do not exceed (nearest rank). */
export function percentile(values, percent) {
  const sorted = ascending(values);
  return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)];
}

/**
 * Ours beside theirs, or ours alone where `theirs` is undefined, by what the target is about: their ratio, their
 * difference, or the value itself. Without a target it is the ratio. Resolves to {kind, rounds, median, min, max}, with
 * `isMet` and `shortBy` (0 when met, in the unit of the bound) where there is a target.
 *
 * A target: {kind: 'ratio' | 'difference' | 'value', atLeast or atMost: number}
 */
export function compare(ours, theirs, target) {
  const kind = target?.kind ?? 'ratio';
  const rounds = ours.map((value, round) => combine(kind, value, theirs?.[round]));
  const result = { kind, rounds, ...spread(rounds) };
  if (target === undefined) return result;
  const shortBy =
    target.atLeast !== undefined ? target.atLeast - result.median : result.median - target.atMost;
  return { ...result, target, isMet: shortBy <= 0, shortBy: Math.max(0, shortBy) };
}

function combine(kind, ours, theirs) {
  if (kind === 'ratio') return ours / theirs;
  return kind === 'difference' ? ours - theirs : ours;
}

function ascending(values) {
  return [...values].sort((a, b) => a - b);
}
