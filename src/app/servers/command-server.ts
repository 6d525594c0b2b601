import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { findFreePort } from '../../sockets/socket-handle.js';
import type { Release } from '../pool/release.js';
import { WATCHER_NAME } from '../process/group-members.js';
import { CONTROL_FD } from '../process/process-group.js';
import type { ApplicationServer, LaunchPlan } from './application-server.js';

/** Where npm and a virtual environment put the programs of the project that a person calls by their bare name. */
const programFolders = ['node_modules/.bin', '.venv/bin', 'venv/bin'];

const HOST = '127.0.0.1';

/**
 * Ends the command when easyserve has gone without ending it, which the watcher sees by the end of descriptor 3. The watcher
 * belongs to the command's process group, and is ended with it, when nobody else is left. It is no child of the command, which may wait for all of its
 * children.
 */
const underWatch = [
  '((',
  'trap "" TERM INT HUP USR1 USR2',
  `echo ${WATCHER_NAME} >/proc/self/comm`, // proc_pid_comm(5)
  `while read -r line; do :; done <&${CONTROL_FD}`,
  'kill -TERM 0',
  'sleep 1',
  'kill -KILL 0',
  ') >/dev/null 2>&1 &)',
  `exec ${CONTROL_FD}<&-`,
  'exec /bin/sh -c "$1"',
].join('\n');

/**
 * The setting `command`: any program that listens on a port or a Unix socket that it finds in its environment.
 *
 * It is ready as soon as it accepts connections at one of the two. Another program may take the port in between: all that is
 * sure is that it was free just before, and that the command still runs when a connection is accepted (AppProcess).
 */
export class CommandServer implements ApplicationServer {
  readonly name = 'command';
  readonly #env: Readonly<Record<string, string | undefined>>;
  readonly #platform: NodeJS.Platform;
  readonly #findPort: () => number;

  constructor(
    env: Readonly<Record<string, string | undefined>>,
    platform: NodeJS.Platform,
    findPort: () => number = findFreePort,
  ) {
    this.#env = env;
    this.#platform = platform;
    this.#findPort = findPort;
  }

  concurrency({ settings }: Release): number {
    return settings.concurrency;
  }

  plan({ project }: Release, socketPath: string): LaunchPlan {
    const port = this.#findPort();
    return {
      ...this.#shellFor(project.application),
      cwd: project.root,
      env: {
        ...this.#env,
        PATH: this.#pathFor(project.root),
        PORT: String(port),
        HOST,
        SOCKET: socketPath,
      },
      readiness: 'accepts',
      addresses: [
        { protocol: 'http', place: { path: socketPath } },
        { protocol: 'http', place: { host: HOST, port } },
      ],
      hints: {
        endedEarly:
          'The command must go on as long as the site: in the foreground, without & at its end or an option like --daemon.',
        neverReady: `It must listen on port ${port} of ${HOST} (PORT and HOST in its environment) or on the Unix socket ${socketPath} (SOCKET), like command = "python3 -m http.server $PORT". If it only needs longer to load, raise readyTimeoutMs.`,
      },
    };
  }

  // Private

  #shellFor(command: string): Pick<LaunchPlan, 'command' | 'args'> {
    if (this.#platform === 'win32') return { command: 'cmd.exe', args: ['/d', '/s', '/c', command] };
    return { command: '/bin/sh', args: ['-c', underWatch, 'easyserve', command] };
  }

  #pathFor(root: string): string {
    const own = programFolders.map((folder) => join(root, folder)).filter((folder) => existsSync(folder));
    return [...own, ...(this.#env.PATH === undefined ? [] : [this.#env.PATH])].join(delimiter);
  }
}
