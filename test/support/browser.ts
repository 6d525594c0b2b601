import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { type BrowserContext, chromium, type Page } from 'playwright-core';
import { createTempDir } from './copy-fixture.js';
import { repositoryRoot } from './repository.js';

/** Nothing that a test does may reach another machine, or wait for one. */
const flags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

const DEADLINE_MS = 20_000;

export interface BrowserOptions {
  /** PEM file of a root certificate that it trusts beside its own; otherwise the usual ones alone. */
  readonly trustedRoot?: string;
}

/**
 * A real Chromium without a window, and without anything that another run has left; it ends with the test. Its waits end after 20 s.
 *
 * Rejects with what to install where there is none and it can't be installed (scripts/browser).
 */
export async function openBrowser(t: TestContext, { trustedRoot }: BrowserOptions = {}): Promise<Page> {
  const executablePath = execFileSync(join(repositoryRoot, 'scripts', 'browser'), {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  }).trim();
  const home = createTempDir();
  let context: BrowserContext | undefined;
  // One hook: they run in the order in which they came, and the folder is in use until the end.
  t.after(async () => {
    await context?.close();
    rmSync(home, { recursive: true, force: true });
  });
  if (trustedRoot !== undefined) trust(home, trustedRoot);
  context = await chromium.launchPersistentContext(join(home, 'profile'), {
    executablePath,
    args: flags,
    env: { PATH: process.env.PATH, HOME: home },
  });
  context.setDefaultTimeout(DEADLINE_MS);
  return context.pages()[0] ?? context.newPage();
}

// Private

/** Chromium looks for more roots in the NSS database of its user. */
function trust(home: string, root: string): void {
  const folder = join(home, '.pki', 'nssdb');
  mkdirSync(folder, { recursive: true });
  const certutil = (...args: string[]): void => {
    execFileSync('certutil', ['-d', `sql:${folder}`, ...args], { stdio: ['ignore', 'ignore', 'inherit'] });
  };
  certutil('-N', '--empty-password');
  certutil('-A', '-n', 'test root', '-t', 'C,,', '-i', root);
}
