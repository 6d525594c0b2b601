import type { Output } from '../log/output.js';
import type { LaunchOptions } from '../supervisor/launcher.js';

/** What the verbs know of the process that they run in; unit tests make their own. */
export interface CliContext {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly stdout: Output;
  readonly stderr: Output;
  readonly signals: LaunchOptions['signals'];
  readonly version: string;
  /** How this program was started, to start it again. */
  readonly exec: { readonly nodePath: string; readonly nodeArgs: readonly string[]; readonly script: string };
  /** Aborted when nobody reads stdout any more: `easyserve logs | head`. */
  readonly outputClosed: AbortSignal;
}
