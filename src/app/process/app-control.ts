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
  /** The beginning of a line that is no event: the application wrote to a descriptor that is not its own. Called once. */
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
const SHOWN_GARBAGE_CHARACTERS = 200;

/**
 * Easyserve's end of the descriptor that joins an application process to it. The other end belongs to one of the programs of
 * app/python, or to app/node/control-link; a command does not know of it.
 */
export class AppControl {
  readonly #options: AppControlOptions;
  readonly #stackWaits = new Set<(stacks: ThreadStacks | undefined) => void>();
  #onGarbage: (line: string) => void;
  #isClosed = false;

  constructor(options: AppControlOptions) {
    this.#options = options;
    this.#onGarbage = (line) => options.onGarbage(line.slice(0, SHOWN_GARBAGE_CHARACTERS));
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
    if (line === '') return; // its end of the descriptor begins each event on a line of its own
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
        this.#onGarbage(line);
        this.#onGarbage = () => {};
    }
  }
}

// Private

/** Undefined for what is no event: anything may come, for the application can write to every descriptor of its process. */
function parseEvent(line: string): AppEvent | undefined {
  let said: unknown;
  try {
    said = JSON.parse(line);
  } catch {
    return undefined;
  }
  return typeof said === 'object' && said !== null && isEvent(said as Said) ? (said as AppEvent) : undefined;
}

type Said = Readonly<Record<string, unknown>>;

function isEvent({ event, port, error, reason, hint, stacks }: Said): boolean {
  switch (event) {
    case 'ready':
      return port === undefined || (Number.isInteger(port) && Number(port) > 0 && Number(port) < 65_536);
    case 'failed':
      return (isText(error) || isText(reason)) && (hint === undefined || isText(hint));
    case 'terminated':
      return true;
    case 'stacks':
      return typeof stacks === 'object' && stacks !== null && Object.values(stacks).every(isText);
    default:
      return false;
  }
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}
