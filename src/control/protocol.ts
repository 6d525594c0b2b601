/**
 * What the control socket carries: one JSON object a line, both ways.
 *
 * client -> server   {"verb": "reload"}                              one request a connection
 * server -> client   {"progress": "starting the new application"}    any number
 *                    {"line": "…"}                                   `logs` only, any number
 *                    {"result": {…}}  or  {"error": {…}}             last
 *
 * `stop` answers when nothing serves any more, or just hangs up then; the process ends at once after it. `reload`, `restart`
 * and `scale` answer when it is done; a client that goes away meanwhile changes nothing.
 */
import type { ErrorRecord } from '../contracts/errors.js';

export type ControlRequest =
  | { readonly verb: 'ping' }
  | { readonly verb: 'status' }
  | { readonly verb: 'reload' }
  | { readonly verb: 'restart' }
  | { readonly verb: 'stop' }
  | { readonly verb: 'scale'; readonly processes: number }
  | { readonly verb: 'config' }
  | { readonly verb: 'logs'; readonly follow: boolean; readonly lines: number };

export type ControlReply =
  | { readonly progress: string }
  | { readonly line: string }
  | { readonly result: unknown }
  | { readonly error: ErrorRecord };

/** `easyserve config --json`: one entry a setting. */
export interface ConfigEntry {
  readonly key: string;
  readonly value: unknown;
  /** `default`, `Django EASYSERVER`, `Django CHEROOT`, `easyserve.toml`, `environment EASYSERVE_PORT`, `--port`. */
  readonly origin: string;
  /** Of `serveMedia`: which addresses are the application's. */
  readonly notes?: readonly string[];
}

/** Result of `reload` and `restart`. */
export interface ReloadResult {
  readonly generation: number;
  /** Plain sentences, one a change; empty where nothing had changed. */
  readonly changes: readonly string[];
}

/** Result of `scale`. */
export interface ScaleResult {
  readonly processes: number;
  readonly generation: number;
}
