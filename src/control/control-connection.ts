import type { Socket } from 'node:net';
import type { Clock } from '../contracts/clock.js';
import { describeError, EasyserveError, ExitCode } from '../contracts/errors.js';
import { LineCutter } from '../log/line-cutter.js';
import type { ControlReply, ControlRequest } from './protocol.js';

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

const maxRequestLength = 64 * 1024;
/** A client that connects says at once what it wants. */
const requestDeadlineMs = 10_000;
/** A client that has been told everything hangs up; one that was stopped (Ctrl-Z) doesn't. */
const closeDeadlineMs = 10_000;
/** What a client may be behind; beyond it, lines of `logs --follow` are left out. */
const maxUnsentBytes = 8 * 1024 * 1024;

/** One client: one request, its progress and lines, one result or error. */
export class ControlConnection {
  readonly #socket: Socket;
  readonly #handler: ControlHandler;
  readonly #clock: Clock;
  readonly #reader = new LineCutter({ maxLineLength: maxRequestLength, whenLonger: 'throw' });
  readonly #abort = new AbortController();
  readonly #cancelDeadline: () => void;
  #hasRequest = false;
  #skippedLines = 0;

  constructor(socket: Socket, handler: ControlHandler, clock: Clock) {
    this.#socket = socket;
    this.#handler = handler;
    this.#clock = clock;
    this.#cancelDeadline = clock.after(requestDeadlineMs, () => {
      this.#refuse(`no request came within ${requestDeadlineMs / 1000} seconds`);
    });
    socket.on('data', (chunk) => this.#read(chunk));
    socket.once('end', () => this.#onEnd());
    // A client that went away mid-answer (EPIPE, ECONNRESET): 'close' follows and says all there is to say.
    socket.on('error', () => undefined);
    socket.once('close', () => {
      this.#cancelDeadline();
      this.#abort.abort();
    });
  }

  end(): void {
    this.#cancelDeadline();
    this.#abort.abort();
    if (this.#socket.destroyed) return;
    this.#socket.end();
    const cancel = this.#clock.after(closeDeadlineMs, () => this.#socket.destroy());
    this.#socket.once('close', cancel);
    // Bytes still to be read would keep the socket from closing.
    this.#socket.resume();
  }

  #read(chunk: Buffer): void {
    if (this.#hasRequest) return;
    let line: string | undefined;
    try {
      line = this.#reader.push(chunk)[0];
    } catch (error) {
      this.#refuse((error as RangeError).message);
      return;
    }
    if (line !== undefined) this.#accept(line);
  }

  #accept(line: string): void {
    this.#hasRequest = true;
    this.#cancelDeadline();
    const request = parseRequest(line);
    if (request === undefined) this.#refuse('the request is not a JSON object with a verb');
    else void this.#answer(request);
  }

  async #answer(request: ControlRequest): Promise<void> {
    const reporter = {
      progress: (text: string) => this.#send({ progress: text }),
      line: (text: string) => this.#sendLine(text),
      signal: this.#abort.signal,
    };
    let reply: ControlReply;
    try {
      reply = { result: (await this.#handler(request, reporter)) ?? null };
    } catch (error) {
      reply = { error: describeError(error) };
    }
    this.#reportSkipped();
    this.#send(reply);
    this.end();
  }

  #onEnd(): void {
    this.#abort.abort();
    if (!this.#hasRequest) this.end();
  }

  #refuse(reason: string): void {
    this.#hasRequest = true;
    const refusal = new EasyserveError(
      'bad-control-request',
      ExitCode.unexpected,
      `Control request refused: ${reason}.`,
    );
    this.#send({ error: refusal.toRecord() });
    this.end();
  }

  #sendLine(text: string): void {
    if (this.#socket.writableLength > maxUnsentBytes) {
      this.#skippedLines += 1;
      return;
    }
    this.#reportSkipped();
    this.#send({ line: text });
  }

  #reportSkipped(): void {
    if (this.#skippedLines === 0) return;
    this.#send({ line: `[${this.#skippedLines} lines left out: they came faster than they were read]` });
    this.#skippedLines = 0;
  }

  #send(reply: ControlReply): void {
    if (this.#socket.writable) this.#socket.write(`${JSON.stringify(reply)}\n`);
  }
}

function parseRequest(line: string): ControlRequest | undefined {
  try {
    const request: unknown = JSON.parse(line);
    const verb = (request as { verb?: unknown } | null)?.verb;
    return typeof verb === 'string' ? (request as ControlRequest) : undefined;
  } catch {
    return undefined;
  }
}
