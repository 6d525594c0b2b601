import type { Release } from './release.js';

/** How to start one application process; made by one file per kind of server (gateway-server.ts). */
export interface LaunchPlan {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** A kind of application server. */
export interface ApplicationServer {
  readonly name: string;
  /** `socketPath` is where the process has to listen; it is fresh, and removed when the process has ended. */
  plan(release: Release, socketPath: string): LaunchPlan;
}
