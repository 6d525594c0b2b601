import type { Duplex } from 'node:stream';
import type { Clock } from '../../contracts/clock.js';
import { readLines } from '../../log/read-lines.js';

/** The stack of each thread, by the gateway's number of it; that of the main thread is `main`. */
export type ThreadStacks = Readonly<Record<string, string>>;

export interface AppControlOptions {
  /** Undefined when the process could not be spawned. */
  readonly channel: Duplex | undefined;
  readonly clock: Clock;
  /** `port`: the port of this machine that it has chosen itself, where it listens over TCP. */
  readonly onReady: (port: number | undefined) => void;
  /** The application could not be loaded. */
  readonly onFailed: (failure: LoadFailure) => void;
  /** Somebody else sent it SIGTERM: it goes on serving, and asks for a successor. */
  readonly onTerminated: () => void;
  /** A line that is no event: the application wrote to a descriptor that is not its own. */
  readonly onGarbage: (line: string) => void;
}

/** A traceback of Python, whose last line is the reason; or the reason alone, when the output has the rest. */
export type LoadFailure =
  | { readonly error: string }
  | { readonly reason: string; readonly hint?: string | undefined };

/** What an application process sends, one JSON object a line. */
type AppEvent =
  | { readonly event: 'ready'; readonly port?: number }
  | ({ readonly event: 'failed' } & LoadFailure)
  | { readonly event: 'terminated' }
  | { readonly event: 'stacks'; readonly stacks: ThreadStacks };

/** What is sent to an application process, in the same way. */
type AppCommand =
  | { readonly command: 'stop' | 'stacks' }
  | { readonly command: 'secret'; readonly secret: string };

const STACKS_TIMEOUT_MS = 2000;
/** Generous, because the stacks of hundreds of threads, or a long traceback, are one event. */
const MAX_EVENT_CHARACTERS = 16 * 1024 * 1024;

/**
 * Easyserve's end of the descriptor that joins an application process to it. The other end belongs to one of the programs of
 * app/python, or to app/node/control-link; a command does not know of it.
 */
export class AppControl {
  readonly #options: AppControlOptions;
  readonly #stackWaits = new Set<(stacks: ThreadStacks | undefined) => void>();
  #isClosed = false;

  constructor(options: AppControlOptions) {
    this.#options = options;
    const { channel } = options;
    if (channel === undefined) return;
    channel.on('error', () => {}); // the process is gone: its exit tells
    readLines(channel, (line) => this.#onLine(line), { maxLineLength: MAX_EVENT_CHARACTERS });
  }

  stop(): void {
    this.#send({ command: 'stop' });
  }

  /** What its connections must show; it goes this way because everyone can read command lines. */
  tellSecret(secret: string): void {
    this.#send({ command: 'secret', secret });
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
      this.#send({ command: 'stacks' });
    });
  }

  /** The process has ended: nobody will answer any more. */
  close(): void {
    this.#isClosed = true;
    for (const settle of this.#stackWaits) settle(undefined);
  }

  // Private

  #send(message: AppCommand): void {
    this.#options.channel?.write(`${JSON.stringify(message)}\n`);
  }

  #onLine(line: string): void {
    const event = parseEvent(line);
    switch (event?.event) {
      case 'ready':
        this.#options.onReady(event.port);
        return;
      case 'failed':
        this.#options.onFailed(event);
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

function parseEvent(line: string): AppEvent | undefined {
  try {
    return JSON.parse(line) as AppEvent;
  } catch {
    return undefined; // onGarbage says so
  }
}
