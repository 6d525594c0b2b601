import { type TestContext, test } from 'node:test';

export type Mode = 'single' | 'cluster';

/** For tests that start the real program: a hung wait fails its own test, with its output, and not the whole run. */
export const integrationTimeoutMs = 120_000;

/**
 * Registers the same tests once a mode, so that no feature is tested in one mode only:
 *
 *   forEachMode(['single', 'cluster'], (mode, testIn) => {
 *     testIn('serves the start page', async (t) => { … });
 *   });
 */
export function forEachMode(
  modes: readonly Mode[],
  register: (mode: Mode, testIn: (name: string, body: (t: TestContext) => Promise<void>) => void) => void,
): void {
  for (const mode of modes) {
    register(mode, (name, body) => {
      test(`${mode}: ${name}`, { timeout: integrationTimeoutMs }, body);
    });
  }
}
