import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { waitAtMost } from './wait-at-most.mjs';

const stopWithinMs = 15_000;

/** Every one that has not been stopped yet, for stopAllServers. */
const running = new Set();

/**
 * One program of a contender, in a process group of its own, its output in a file.
 */
export class ServerProcess {
  #child;
  #logPath;
  #name;
  #ended;

  /** `options`: name, cwd, logFolder, and env, which is added to the plain environment. */
  constructor(command, args, { name, cwd, logFolder, env = {} }) {
    this.#name = name;
    this.#logPath = join(logFolder, `${name}.log`);
    const log = openSync(this.#logPath, 'w');
    this.#child = spawn(command, args, {
      cwd,
      env: { ...plainEnvironment(), ...env },
      detached: true,
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    // `error`: the command is not there. There is no `exit` then.
    this.#ended = new Promise((resolve) => {
      this.#child.once('exit', resolve);
      this.#child.once('error', () => resolve(undefined));
    });
    running.add(this);
  }

  get pid() {
    return this.#child.pid;
  }

  /** Resolves with its exit code; undefined or null when there is none. Never rejects. */
  get ended() {
    return this.#ended;
  }

  get hasEnded() {
    return this.pid === undefined || this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** For messages: who it is, and the end of what it printed. */
  get lastWords() {
    const text = readFileSync(this.#logPath, 'utf8').trim().slice(-2_000);
    return `${this.#name} printed${text === '' ? ' nothing' : `:\n${text}`}`;
  }

  /** SIGTERM to the program, which ends its own children; what is left of the group after that is killed. */
  async stop() {
    running.delete(this);
    if (this.pid === undefined) return;
    if (!this.hasEnded) process.kill(this.pid, 'SIGTERM');
    await waitAtMost(this.#ended, stopWithinMs);
    killGroup(this.pid);
    await this.#ended;
  }
}

/** When the benchmark itself is interrupted. */
export async function stopAllServers() {
  await Promise.all([...running].map((server) => server.stop()));
}

/** A loopback port that was free just now. */
export async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

/** Without EASYSERVE_…, PORT and WEB_CONCURRENCY: to easyserve and gunicorn those are settings. */
function plainEnvironment() {
  const isSetting = (name) => name.startsWith('EASYSERVE_') || name === 'PORT' || name === 'WEB_CONCURRENCY';
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !isSetting(name)));
}

function killGroup(group) {
  try {
    process.kill(-group, 'SIGKILL');
  } catch (error) {
    if (error.code !== 'ESRCH') throw error;
  }
}
