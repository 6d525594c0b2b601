import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { get } from 'node:http';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

/**
 * One program of a contender, in a process group of its own, its output in a file. Made by contenders.mjs; used by
 * nothing but the benchmark.
 */
export class ServerProcess {
  #child;
  #logPath;
  #ended;

  /** `options`: name, cwd, env, logFolder. */
  constructor(command, args, options) {
    this.#logPath = join(options.logFolder, `${options.name}.log`);
    const log = openSync(this.#logPath, 'w');
    this.#child = spawn(command, args, {
      cwd: options.cwd,
      env: { ...plainEnvironment(), ...options.env },
      detached: true,
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    this.#ended = once(this.#child, 'exit');
    this.#ended.catch(() => undefined);
  }

  get log() {
    return readFileSync(this.#logPath, 'utf8');
  }

  /** For messages. */
  get lastWords() {
    return this.log.slice(-2_000);
  }

  /** Resolves with what `find` makes of the log, as soon as it makes something. Rejects on exit and after 30 s. */
  async untilLog(find) {
    return this.#until(() => find(this.log));
  }

  /** Resolves when the URL answers 200. */
  async untilAnswers(url) {
    return this.#until(
      async () => (await fetchPage(url).catch(() => undefined))?.status === 200 || undefined,
    );
  }

  async stop() {
    if (this.#hasEnded) return;
    process.kill(-this.#child.pid, 'SIGTERM');
    const isGone = await Promise.race([this.#ended.then(() => true), pause(10_000).then(() => false)]);
    if (!isGone) process.kill(-this.#child.pid, 'SIGKILL');
    await this.#ended;
  }

  get #hasEnded() {
    return this.#child.pid === undefined || this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  async #until(check) {
    const deadline = performance.now() + 30_000;
    for (;;) {
      const found = await check();
      if (found !== undefined) return found;
      if (this.#hasEnded) throw new Error(`it exited:\n${this.lastWords}`);
      if (performance.now() > deadline) throw new Error(`it was not ready within 30 s:\n${this.lastWords}`);
      await pause(50);
    }
  }
}

/** Without EASYSERVE_…: to easyserve those are settings. */
function plainEnvironment() {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('EASYSERVE_')));
}

/** Status and body of one GET over a connection of its own. */
export async function fetchPage(url) {
  const [response] = await once(get(url, { agent: false }), 'response');
  const pieces = await response.toArray();
  return { status: response.statusCode, body: Buffer.concat(pieces).toString() };
}

/** A loopback port that was free just now, for a server that cannot choose one by itself. */
export async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}
