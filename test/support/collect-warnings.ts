import type { TestContext } from 'node:test';

/** What Node warns of during a test: too many listeners, files that nobody has closed. */
export function collectWarnings(t: TestContext): Error[] {
  const warnings: Error[] = [];
  const onWarning = (warning: Error): void => {
    warnings.push(warning);
  };
  process.on('warning', onWarning);
  t.after(() => process.off('warning', onWarning));
  return warnings;
}
