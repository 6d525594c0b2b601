import type { ControlRequest } from './protocol.js';

/** What a handler may do besides answering. */
export interface ControlReporter {
  /** One plain sentence about what is being done now. */
  progress(text: string): void;
  /** One log line, for `logs`. */
  line(text: string): void;
  /**
   * The client has gone, or has closed its sending side. For what runs only for the client (`logs --follow`);
   * a reload goes on.
   */
  readonly signal: AbortSignal;
}

/** Its value becomes the result, what it throws becomes the error. */
export type ControlHandler = (request: ControlRequest, reporter: ControlReporter) => Promise<unknown>;
