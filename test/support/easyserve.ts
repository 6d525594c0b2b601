import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AppStatus, InstanceStatus } from '../../src/contracts/status.js';
import { callInstance } from '../../src/control/control-client.js';
import { replaceFile } from './broken-release.js';
import { eventually } from './eventually.js';
import { leftoversOf, stateFoldersOf } from './leftovers.js';
import { describeProcess, isAlive, killGroup, killProcess, processesWithEnvironment } from './processes.js';
import { type LogRecord, RecordStream } from './record-stream.js';
import { type CommandResult, type Environment, runEasyserve, testIdVariable } from './run-easyserve.js';
import { waitAtMost, withDeadline } from './with-deadline.js';

export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** How much of the output an error message shows. */
const tailLength = 4_000;
const stopWithinMs = 60_000;

/** A running instance, as a test sees it. Made by startEasyserve, which also ends it. */
export class Easyserve {
  /** The folder that it serves. */
  readonly dir: string;
  readonly testId: string;
  readonly ended: Promise<Ending>;
  /** Everything that it printed has been read. */
  readonly #drained: Promise<void>;
  readonly #child: ChildProcess;
  readonly #tmp: string;
  readonly #env: Environment | undefined;
  readonly #stream = new RecordStream();
  #ending: Ending | undefined;
  #output = '';
  #url = '';

  constructor(
    child: ChildProcess,
    more: { dir: string; tmp: string; testId: string; env?: Environment | undefined },
  ) {
    this.dir = more.dir;
    this.testId = more.testId;
    this.#tmp = more.tmp;
    this.#env = more.env;
    this.#child = child;
    for (const name of ['stdout', 'stderr'] as const) {
      child[name]?.setEncoding('utf8').on('data', (text: string) => {
        this.#output += text;
        this.#stream.push(name, text);
      });
    }
    this.#drained = new Promise((resolve) => child.once('close', () => resolve()));
    this.ended = new Promise((resolve, reject) => {
      child.once('error', reject);
      // `exit`, not `close`: an orphan that holds the pipes would keep `close` away.
      child.once('exit', (code, signal) => {
        this.#ending = { code, signal };
        resolve(this.#ending);
      });
    });
  }

  get pid(): number {
    if (this.#child.pid === undefined) throw new Error('easyserve could not be started');
    return this.#child.pid;
  }

  /** With a trailing slash. Without --host and --port it is a free port of 127.0.0.1. */
  get url(): string {
    return this.#url;
  }

  /** The URL of a path. */
  at(path: string): string {
    return new URL(path, this.#url).href;
  }

  get records(): readonly LogRecord[] {
    return this.#stream.records;
  }

  /** Everything on stdout and stderr so far. */
  get output(): string {
    return this.#output;
  }

  get hasEnded(): boolean {
    return this.#ending !== undefined;
  }

  /** For startEasyserve. Rejects on exit and when the time is over. */
  async untilReady(timeoutMs: number): Promise<void> {
    const record = await this.waitFor('ready', undefined, timeoutMs);
    if (typeof record.url !== 'string')
      throw new Error(`the ready record has no url: ${JSON.stringify(record)}`);
    this.#url = new URL('/', record.url).href;
  }

  /** The same where its output goes elsewhere: asks until it serves. */
  async untilServing(timeoutMs: number): Promise<void> {
    await eventually(
      async () => {
        const { state, urls } = await this.status();
        if (state !== 'running') throw new Error(`it is ${state}`);
        this.#url = new URL('/', urls[0] ?? '').href;
      },
      { timeoutMs, intervalMs: 100 },
    );
  }

  /**
   * The next record with this event, behind the one that the last waitFor found. Rejects when easyserve exits first or
   * the time is over, with the end of the output.
   */
  async waitFor(
    event: string,
    where?: (record: LogRecord) => boolean,
    timeoutMs = 30_000,
  ): Promise<LogRecord> {
    const wait = this.#stream.next((record) => record.event === event && (where?.(record) ?? true));
    const exited = this.ended.then(async ({ code, signal }) => {
      // What was printed last may still be in the pipe; and an orphan may hold the pipe open.
      await waitAtMost(this.#drained, 500);
      throw new Error(`easyserve exited (${signal ?? code}) before "${event}"\n${this.#tail()}`);
    });
    // It rejects later too, when the instance ends long after this wait: nobody listens any more then.
    exited.catch(() => undefined);
    try {
      return await withDeadline(
        Promise.race([wait.found, exited]),
        timeoutMs,
        () => `no "${event}"\n${this.#tail()}`,
      );
    } finally {
      wait.cancel();
    }
  }

  /** Reads no more of what it prints, like `easyserve start | less`, until readOutput(). */
  ignoreOutput(): void {
    for (const name of ['stdout', 'stderr'] as const) this.#child[name]?.pause();
  }

  readOutput(): void {
    for (const name of ['stdout', 'stderr'] as const) this.#child[name]?.resume();
  }

  /** Whoever reads what it prints is gone, like the head of `easyserve start | head`. */
  closeOutput(): void {
    for (const name of ['stdout', 'stderr'] as const) this.#child[name]?.destroy();
  }

  signal(name: NodeJS.Signals): void {
    if (!killProcess(this.pid, name)) throw new Error(`easyserve has ended: ${name} cannot be sent`);
  }

  /** Runs another easyserve in the folder: `cli('reload')`, `cli('scale', '3')`. */
  cli(verb: string, ...args: readonly string[]): Promise<CommandResult> {
    return runEasyserve([verb, ...args], {
      cwd: this.dir,
      // As a shell has it: the folder may be a symbolic link that leads elsewhere by now.
      env: { ...this.#env, PWD: this.dir, [testIdVariable]: this.testId },
    });
  }

  /** What `easyserve status --json` prints; asked for without the command, for tests ask often. */
  async status(): Promise<InstanceStatus> {
    return (await callInstance(this.dir, { verb: 'status' })) as InstanceStatus;
  }

  /** Of every front. */
  async apps(): Promise<readonly AppStatus[]> {
    return (await this.status()).sites.flatMap((site) => site.apps);
  }

  async appPids(): Promise<number[]> {
    return (await this.apps()).map((app) => app.pid);
  }

  /** The processes that hold the fronts: throng workers in cluster mode, easyserve itself in single mode. */
  async sitePids(): Promise<number[]> {
    return (await this.status()).sites.map((site) => site.pid);
  }

  /** Changes easyserve.json: a key with undefined is taken out. The file is replaced in one step. */
  writeSettings(change: Readonly<Record<string, unknown>>): void {
    const path = join(this.dir, 'easyserve.json');
    let settings: Record<string, unknown> = {};
    try {
      settings = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
    replaceFile(path, JSON.stringify({ ...settings, ...change }, undefined, 2));
  }

  /** Writes a file below the folder, in one step. */
  writeFile(relative: string, text: string): void {
    replaceFile(join(this.dir, relative), text);
  }

  /** Every living process that this instance started, itself among them. */
  processes(): number[] {
    return processesWithEnvironment(testIdVariable, this.testId);
  }

  /** SIGTERM, unless it has ended already; then waits for the end. The last resort is SIGKILL, and an error. */
  async stop(): Promise<Ending> {
    if (this.#ending === undefined) killProcess(this.pid, 'SIGTERM');
    try {
      return await withDeadline(this.ended, stopWithinMs, () => 'SIGTERM did not end easyserve');
    } catch (error) {
      this.killEverything();
      throw error;
    }
  }

  /** For the test's end: stops, and throws when anything is left. */
  async end(): Promise<void> {
    if (this.#child.pid === undefined) return;
    const { signal } = await this.stop();
    // Whoever was killed could clear up nothing: what it started notices that by itself, soon, and its files may stay.
    const wasKilled = signal !== null;
    try {
      await eventually(() => this.#expectNoOrphans(), { timeoutMs: wasKilled ? 10_000 : 0 });
      if (!wasKilled) this.#expectNoFiles();
    } finally {
      this.killEverything();
    }
  }

  /** Never leaves a process behind, whatever happened before. */
  killEverything(): void {
    if (this.#child.pid !== undefined && this.#ending === undefined) killGroup(this.#child.pid, 'SIGKILL');
    for (const pid of this.processes()) killProcess(pid, 'SIGKILL');
  }

  #expectNoOrphans(): void {
    const orphans = this.processes().filter(isAlive);
    if (orphans.length === 0) return;
    throw new Error(`easyserve left processes behind: ${orphans.map(describeProcess).join('; ')}`);
  }

  #expectNoFiles(): void {
    const left = leftoversOf([this.dir, ...stateFoldersOf(this.dir), this.#tmp]);
    if (left.length > 0) throw new Error(`easyserve left files behind: ${left.join(', ')}`);
  }

  #tail(): string {
    return this.#output.length > tailLength ? `…${this.#output.slice(-tailLength)}` : this.#output;
  }
}
