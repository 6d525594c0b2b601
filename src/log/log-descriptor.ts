import { close, constants, fstat, fstatSync, open, openSync, readlinkSync, type Stats, write } from 'node:fs';
import { isatty } from 'node:tty';
import { promisify } from 'node:util';
import type { LineSink } from './bounded-output.js';

/** What libuv's handle of stdout can do, and Node does not document: set O_NONBLOCK (libuv, uv_stream_set_blocking). */
interface StreamHandle {
  setBlocking?(isBlocking: boolean): number;
}

/** The stream that Node makes of a descriptor, made only when it is asked for. */
export type MakeStream = () => { readonly _handle?: StreamHandle | null; end(): void };

type Kind = 'file' | 'own' | 'shared' | 'device';

const reopenFlags = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW;

/**
 * stdout or stderr as a log writes to it: in libuv's threads, one write at a time, because a write to a file waits for its disk.
 *
 * A write to a pipe or terminal waits for its reader unless the open file description has O_NONBLOCK, and everyone who shares
 * the description can take that away: a child resets it when it ends, Node among them. So a pipe or a terminal is
 * opened anew (proc(5), /proc/pid/fd), for a description of our own. A socket can't be, nor can what belongs to another user:
 * there O_NONBLOCK is set again before each write.
 */
export class LogDescriptor implements LineSink {
  readonly isTerminal: boolean;
  /** Tells whether two descriptors lead to the same place. */
  readonly identity: string;
  readonly #makeStream: MakeStream;
  readonly #kind: Kind;
  readonly #path: string | undefined;
  readonly #mode: number;
  #fd: number;
  #isWriting = false;
  /** Of files that were moved away, to be closed when no write is under way. */
  readonly #formerFds: number[] = [];

  constructor(fd: 1 | 2, makeStream: MakeStream) {
    const found = fstatSync(fd);
    this.isTerminal = isatty(fd);
    this.identity = [found.dev, found.ino, found.rdev].join(':');
    this.#makeStream = makeStream;
    this.#path = found.isFile() ? pathOf(fd) : undefined;
    this.#mode = found.mode & 0o777;
    const isReadByOthers = found.isFIFO() || this.isTerminal;
    const own = isReadByOthers ? openAnew(fd) : undefined;
    this.#fd = own ?? fd;
    if (own !== undefined) this.#kind = 'own';
    // The description of a terminal is the shell's too, which can't read from it with O_NONBLOCK.
    else if (found.isSocket() || found.isFIFO()) this.#kind = 'shared';
    else this.#kind = found.isFile() ? 'file' : 'device';
  }

  write(bytes: Buffer, done: (error: NodeJS.ErrnoException | null, taken: number) => void): void {
    if (this.#kind === 'shared') this.#makeStream()._handle?.setBlocking?.(false);
    this.#isWriting = true;
    write(this.#fd, bytes, 0, bytes.length, null, (error, taken) => {
      this.#isWriting = false;
      this.#closeFormer();
      done(error === null ? null : this.#judge(error), taken);
    });
  }

  /** A socket can be shut down, which ends a write(2) that waits for its reader (shutdown(2)). */
  breakOff(): void {
    if (this.#kind === 'shared') this.#makeStream().end();
  }

  /** The path of the file, which is new where the old one was moved away; undefined where it is no file. */
  async reopen(): Promise<string | undefined> {
    if (this.#path === undefined) return undefined;
    const fd = await promisify(open)(this.#path, reopenFlags, this.#mode);
    const [found, current] = await Promise.all([promisify(fstat)(fd), promisify(fstat)(this.#fd)]);
    if (!found.isFile() || isSame(found, current)) {
      close(fd);
      return this.#path;
    }
    // 1 and 2 stay open: the next file that is opened would get their number, and with it what Node prints when it crashes.
    if (this.#fd > 2) this.#formerFds.push(this.#fd);
    this.#fd = fd;
    if (!this.#isWriting) this.#closeFormer();
    return this.#path;
  }

  // Private

  #closeFormer(): void {
    for (const fd of this.#formerFds.splice(0)) close(fd);
  }

  /** EIO of a terminal: it was closed. Of a disk: perhaps the next write succeeds. */
  #judge(error: NodeJS.ErrnoException): NodeJS.ErrnoException {
    if (this.isTerminal && error.code === 'EIO') error.code = 'EPIPE';
    return error;
  }
}

// Private

function openAnew(fd: number): number | undefined {
  try {
    return openSync(
      `/proc/self/fd/${fd}`,
      constants.O_WRONLY | constants.O_NONBLOCK | (constants.O_NOCTTY ?? 0),
    );
  } catch {
    // It belongs to another user, its reader has gone, or there is no /proc.
    return undefined;
  }
}

function pathOf(fd: number): string | undefined {
  try {
    const path = readlinkSync(`/proc/self/fd/${fd}`);
    return path.startsWith('/') && !path.endsWith(' (deleted)') ? path : undefined;
  } catch {
    return undefined;
  }
}

function isSame(one: Stats, other: Stats): boolean {
  return one.dev === other.dev && one.ino === other.ino;
}
