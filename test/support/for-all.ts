import { test } from 'node:test';
import fc from 'fast-check';
import './arbitraries.js';

/** Inputs made up for each property. In CI a few; scripts/fuzz asks for more. */
const runs = Number(process.env.EASYSERVE_FUZZ_RUNS ?? 500);
/** Of a run that failed, which its message names; else other inputs each time. */
const seed = process.env.EASYSERVE_FUZZ_SEED;

const parameters = {
  numRuns: runs,
  includeErrorInReport: true,
  ...(seed !== undefined && { seed: Number(seed) }),
};

/**
 * Registers a test that a property holds for every input that the arbitrary makes up. Where it doesn't, the message has the smallest
 * such input and the seed that makes it again.
 */
export function forAll<T>(name: string, arbitrary: fc.Arbitrary<T>, property: (input: T) => void): void {
  test(name, () => fc.assert(fc.property(arbitrary, property), parameters));
}

/** The same for a property that has to wait. `shareOfRuns` where one run is slow. */
export function checkAll<T>(
  arbitrary: fc.Arbitrary<T>,
  property: (input: T) => Promise<void>,
  { shareOfRuns = 1 }: { shareOfRuns?: number } = {},
): Promise<void> {
  const numRuns = Math.max(1, Math.round(runs * shareOfRuns));
  return fc.assert(fc.asyncProperty(arbitrary, property), { ...parameters, numRuns });
}
