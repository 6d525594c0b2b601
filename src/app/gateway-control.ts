import type { Duplex } from 'node:stream';
import type { Clock } from '../clock.js';
import { readLines } from './output-lines.js';

/** By the gateway's number of the thread, and `main`. */
export type ThreadStacks = Readonly<Record<string, string>>;

export interface GatewayControlOptions {
  /** Undefined when the process could not be spawned. */
  readonly channel: Duplex | undefined;
  readonly clock: Clock;
  readonly onReady: () => void;
  /** The application could not be loaded; the traceback. */
  readonly onFailed: (error: string) => void;
  /** Somebody sent it SIGTERM, which it leaves to us. */
  readonly onTerminated: () => void;
  /** A line that is no event: the application wrote to a descriptor that is not its own. */
  readonly onGarbage: (line: string) => void;
}

/** What gateway.py tells (class Control there), one JSON object a line. */
type GatewayEvent =
  | { readonly event: 'ready' }
  | { readonly event: 'failed'; readonly error: string }
  | { readonly event: 'terminated' }
  | { readonly event: 'stacks'; readonly stacks: ThreadStacks };

const STACKS_TIMEOUT_MS = 2000;
/** The stacks of hundreds of threads, or a long traceback, are one event. */
const MAX_EVENT_CHARACTERS = 16 * 1024 * 1024;

/** The descriptor that joins a gateway process to easyserve. Created by AppProcess; the other end is gateway.py. */
export class GatewayControl {
  readonly #options: GatewayControlOptions;
  readonly #stackWaits = new Set<(stacks: ThreadStacks | undefined) => void>();
  #isClosed = false;

  constructor(options: GatewayControlOptions) {
    this.#options = options;
    const { channel } = options;
    if (channel === undefined) return;
    channel.on('error', () => {}); // the process is gone: its exit tells
    readLines(channel, (line) => this.#onLine(line), { maxLineCharacters: MAX_EVENT_CHARACTERS });
  }

  stop(): void {
    this.#send('stop');
  }

  /** Undefined when the process does not answer in time, or ends. */
  stacks(): Promise<ThreadStacks | undefined> {
    if (this.#isClosed) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      const settle = (stacks: ThreadStacks | undefined): void => {
        cancel();
        this.#stackWaits.delete(settle);
        resolve(stacks);
      };
      const cancel = this.#options.clock.after(STACKS_TIMEOUT_MS, () => settle(undefined));
      this.#stackWaits.add(settle);
      this.#send('stacks');
    });
  }

  /** The process has ended: nobody will answer any more. */
  close(): void {
    this.#isClosed = true;
    for (const settle of this.#stackWaits) settle(undefined);
  }

  // Private

  #send(command: 'stop' | 'stacks'): void {
    this.#options.channel?.write(`${JSON.stringify({ command })}\n`);
  }

  #onLine(line: string): void {
    const event = parseEvent(line);
    switch (event?.event) {
      case 'ready':
        this.#options.onReady();
        return;
      case 'failed':
        this.#options.onFailed(event.error);
        return;
      case 'terminated':
        this.#options.onTerminated();
        return;
      case 'stacks':
        for (const settle of this.#stackWaits) settle(event.stacks);
        return;
      default:
        this.#options.onGarbage(line);
    }
  }
}

// Private

function parseEvent(line: string): GatewayEvent | undefined {
  try {
    return JSON.parse(line) as GatewayEvent;
  } catch {
    return undefined; // onGarbage says so
  }
}
