import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { makeTempDir } from './copy-fixture.js';
import { testPython } from './python-env.js';

export type UnreadKind = 'pipe' | 'terminal' | 'socket';

/**
 * Becomes the program behind its first two arguments, with stdout and stderr led into a pipe, a terminal or a socket. A child keeps the
 * other end open and never reads it, and takes O_NONBLOCK away again and again, as every program may that shares
 * the descriptor. It ends when the file of the second argument is gone.
 */
const program = `
import fcntl, os, socket, sys, time
kind, marker = sys.argv[1:3]
if kind == 'pipe':
    reader, writer = os.pipe()
elif kind == 'terminal':
    reader, writer = os.openpty()
else:
    reader, writer = (end.detach() for end in socket.socketpair())
owner = os.getpid()
if os.fork() == 0:
    os.setsid()
    while os.path.exists(marker):
        flags = fcntl.fcntl(writer, fcntl.F_GETFL)
        fcntl.fcntl(writer, fcntl.F_SETFL, flags & ~os.O_NONBLOCK)
        time.sleep(0.01)
    os._exit(0)
os.dup2(writer, 1)
os.dup2(writer, 2)
os.close(reader)
os.close(writer)
os.execvp(sys.argv[3], sys.argv[3:])
`;

export interface UnreadOutput {
  /** For StartOptions. */
  readonly under: readonly string[];
  /** The other end is closed. */
  close(): void;
}

export function unreadOutput(t: TestContext, kind: UnreadKind): UnreadOutput {
  const marker = join(makeTempDir(t), 'unread');
  writeFileSync(marker, '');
  const close = (): void => {
    if (existsSync(marker)) rmSync(marker);
  };
  t.after(close);
  return { under: [testPython(), '-c', program, kind, marker], close };
}
