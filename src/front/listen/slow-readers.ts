import type { Socket } from 'node:net';
import type { Clock } from '../../contracts/clock.js';
import type { Log } from '../../log/log.js';
import type { Settings } from '../../settings/settings.js';
import type { BufferBudget } from '../buffers/buffer-budget.js';
import type { Http2Response } from './http2/http2-response.js';

export interface SlowReadersOptions {
  readonly settings: () => Pick<Settings, 'sendTimeoutMs' | 'minSendBytesPerSecond'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly budget: BufferBudget;
}

const SWEEP_MS = 1000;
/** While the budget is used up: what is held for a client that takes nothing is what others need. */
const PRESSED_SEND_TIMEOUT_MS = 5000;

/** Something that a client is being sent: all of a TCP connection, or one answer of HTTP/2. */
interface Sending {
  /** Something waits until the client takes it. */
  isHeldUp(): boolean;
  takenBytes(): number;
  cut(): void;
}

/**
 * Cuts clients that take nothing of what is sent to them for `sendTimeoutMs`, or take it too slowly: connections, whatever they
 * carry (answers, files, WebSockets), and single answers of HTTP/2, whose windows a client may keep shut while the connection is
 * alive. Where nothing waits for the client nothing is cut, so idle event streams and WebSockets go on.
 *
 * Looked at once a second; what happens between two looks is not seen.
 */
export class SlowReaders {
  readonly #options: SlowReadersOptions;
  readonly #paces = new Map<Sending, SendPace>();
  readonly #encrypted = new Set<Socket>();
  #stopSweep: (() => void) | undefined;

  constructor(options: SlowReadersOptions) {
    this.#options = options;
  }

  watchSocket(socket: Socket, { isEncrypted }: { readonly isEncrypted: boolean }): void {
    const sending = new SocketSending(socket);
    this.#add(sending);
    if (isEncrypted) this.#encrypted.add(socket);
    socket.once('close', () => {
      this.#encrypted.delete(socket);
      this.#remove(sending);
    });
  }

  watch(answer: Http2Response): void {
    const sending = new AnswerSending(answer);
    this.#add(sending);
    answer.once('close', () => this.#remove(sending));
  }

  // Private

  #add(sending: Sending): void {
    this.#paces.set(sending, new SendPace());
    this.#stopSweep ??= this.#options.clock.every(SWEEP_MS, () => this.#sweep());
  }

  #remove(sending: Sending): void {
    this.#paces.delete(sending);
    if (this.#paces.size > 0) return;
    this.#stopSweep?.();
    this.#stopSweep = undefined;
    this.#options.budget.noteUntaken(0);
  }

  #sweep(): void {
    const { clock, budget, settings, log } = this.#options;
    // Over TLS a connection holds an encrypted copy of what is charged elsewhere.
    let untakenBytes = 0;
    for (const socket of this.#encrypted) untakenBytes += handleOf(socket)?.writeQueueSize ?? 0;
    budget.noteUntaken(untakenBytes);
    const { sendTimeoutMs, minSendBytesPerSecond } = settings();
    const timeoutMs = budget.isFull ? Math.min(sendTimeoutMs, PRESSED_SEND_TIMEOUT_MS) : sendTimeoutMs;
    const now = clock.now();
    for (const [sending, pace] of this.#paces) {
      pace.look(now, sending);
      if (!pace.isTooSlow(now, timeoutMs, minSendBytesPerSecond)) continue;
      log.debug('client-stalled', 'a client took too little of what was sent to it, and was cut', {
        takenBytes: sending.takenBytes(),
      });
      sending.cut();
    }
  }
}

// Private

/** How a client takes what waits for it. */
class SendPace {
  /** Undefined while nothing waits. */
  #waitsSinceMs: number | undefined;
  #takenBefore = 0;
  #taken = 0;
  #progressAtMs = 0;

  look(nowMs: number, sending: Sending): void {
    if (!sending.isHeldUp()) {
      this.#waitsSinceMs = undefined;
      return;
    }
    const taken = sending.takenBytes();
    if (this.#waitsSinceMs === undefined) {
      this.#waitsSinceMs = nowMs;
      this.#takenBefore = taken;
      this.#progressAtMs = nowMs;
    } else if (taken !== this.#taken) this.#progressAtMs = nowMs;
    this.#taken = taken;
  }

  isTooSlow(nowMs: number, timeoutMs: number, minBytesPerSecond: number): boolean {
    if (this.#waitsSinceMs === undefined) return false;
    if (nowMs - this.#progressAtMs >= timeoutMs) return true;
    if (minBytesPerSecond === 0) return false;
    const earnedMs = ((this.#taken - this.#takenBefore) * 1000) / minBytesPerSecond;
    return nowMs - this.#waitsSinceMs > timeoutMs + earnedMs;
  }
}

/** What libuv knows of a stream; over TLS too the socket below counts, in encrypted bytes. */
interface StreamHandle {
  /** Given to it, and not yet to the kernel. */
  readonly writeQueueSize: number;
  readonly bytesWritten: number;
}

/**
 * Node tells nobody how much of a write has left: its own timeout of a socket looks at the same field (lib/net.js, _onTimeout), but is
 * put off by whatever the client sends.
 */
function handleOf(socket: Socket): StreamHandle | undefined {
  return (socket as Socket & { _handle?: StreamHandle | null })._handle ?? undefined;
}

class SocketSending implements Sending {
  readonly #socket: Socket;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  isHeldUp(): boolean {
    return (handleOf(this.#socket)?.writeQueueSize ?? 0) > 0;
  }

  takenBytes(): number {
    const handle = handleOf(this.#socket);
    return handle === undefined ? 0 : handle.bytesWritten - handle.writeQueueSize;
  }

  cut(): void {
    this.#socket.destroy();
  }
}

class AnswerSending implements Sending {
  readonly #answer: Http2Response;

  constructor(answer: Http2Response) {
    this.#answer = answer;
  }

  isHeldUp(): boolean {
    return this.#answer.isHeldUp;
  }

  takenBytes(): number {
    return this.#answer.takenBytes;
  }

  cut(): void {
    this.#answer.cutStalled();
  }
}
