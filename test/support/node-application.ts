import { spawn } from 'node:child_process';
import { get, type IncomingHttpHeaders } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { TestContext } from 'node:test';
import { Worker } from 'node:worker_threads';
import type { Execution } from '../../src/app/process/execution.js';
import { LastLines, readLines } from '../../src/app/process/output-lines.js';
import { ProcessExecution } from '../../src/app/process/process-execution.js';
import { ThreadExecution, type Unfitness } from '../../src/app/process/thread-execution.js';
import { ThreadMemory } from '../../src/app/process/thread-memory.js';
import type { ThreadPlan } from '../../src/app/servers/application-server.js';
import { NodeServer } from '../../src/app/servers/node-server.js';
import { systemClock } from '../../src/contracts/clock.js';
import { defaultSettings } from './default-settings.js';
import { makeFileTree } from './file-tree.js';
import { project } from './pool-world.js';
import { withDeadline } from './with-deadline.js';

export interface AppEvent {
  readonly event: string;
  readonly reason?: string;
  readonly hint?: string;
  readonly stacks?: Readonly<Record<string, string>>;
}

const MIB = 1024 * 1024;

/** A Node.js application under the runner (node/preload), without the rest of easyserve. */
export class NodeApplication {
  readonly execution: Execution;
  readonly socketPath: string;
  readonly unfit: Unfitness[] = [];
  readonly events: AppEvent[] = [];
  readonly #lines = new LastLines(200);
  #wake = (): void => {};

  private constructor(socketPath: string, start: (onUnfit: (unfitness: Unfitness) => void) => Execution) {
    this.socketPath = socketPath;
    this.execution = start((unfitness) => {
      this.unfit.push(unfitness);
      this.#wake();
    });
    const { stdout, stderr, control } = this.execution;
    for (const stream of [stdout, stderr]) if (stream) readLines(stream, (line) => this.#lines.push(line));
    if (control) {
      readLines(control, (line) => {
        this.events.push(JSON.parse(line) as AppEvent);
        this.#wake();
      });
      control.on('error', () => {}); // it has ended
    }
  }

  /** `files`: the first one is started. */
  static async start(
    t: TestContext,
    execution: Execution['kind'],
    files: Readonly<Record<string, string>>,
    nodeArgs: readonly string[] = [],
  ): Promise<NodeApplication> {
    const root = await makeFileTree(t, files);
    const application = join(root, Object.keys(files)[0] ?? '');
    const socketPath = join(root, 'app.sock');
    const release = {
      generation: 1,
      settings: defaultSettings({}),
      project: {
        ...project,
        root,
        kind: 'node',
        server: 'node',
        application,
        node: { nodeArgs, args: ['word'], env: {} },
      },
      processes: 1,
      totalProcesses: 1,
      threads: 1,
    } as const;
    const plan = new NodeServer(process.env, process.execPath).plan(release, socketPath);
    const memory = new ThreadMemory(
      { largeBytes: 150 * MIB, mostBytes: 300 * MIB },
      { rssBytes: () => process.memoryUsage.rss() - ownRssBytes, ownBytes: () => -64 * MIB },
      systemClock,
    );
    const ownRssBytes = process.memoryUsage.rss();
    const app = new NodeApplication(socketPath, (onUnfit) =>
      execution === 'process'
        ? new ProcessExecution(plan, spawn, process.kill.bind(process))
        : new ThreadExecution({
            thread: plan.thread as ThreadPlan,
            startWorker: (file, options) => new Worker(file, options),
            memory,
            onUnfit,
          }),
    );
    t.after(async () => {
      try {
        app.execution.signal('SIGKILL');
      } catch {
        // it has ended
      }
      await app.execution.ended;
    });
    return app;
  }

  get output(): string {
    return this.#lines.text;
  }

  /** Resolves with the first event of that name. */
  async seen(event: string): Promise<AppEvent> {
    const isThere = (): AppEvent | undefined => this.events.find((candidate) => candidate.event === event);
    await this.#until(() => isThere() !== undefined, event);
    return isThere() as AppEvent;
  }

  async unfitness(): Promise<Unfitness> {
    await this.#until(() => this.unfit.length > 0, 'needs a process');
    return this.unfit[0] as Unfitness;
  }

  send(command: 'stop' | 'stacks'): void {
    this.execution.control?.write(`${JSON.stringify({ command })}\n`);
  }

  async get(path = '/', headers: IncomingHttpHeaders = {}): Promise<string> {
    const { socketPath } = this;
    return new Promise((resolve, reject) => {
      get(
        { socketPath, path, headers, agent: false },
        (response) => void text(response).then(resolve, reject),
      ).once('error', reject);
    });
  }

  async #until(isThere: () => boolean, what: string): Promise<void> {
    const found = new Promise<void>((resolve) => {
      this.#wake = () => {
        if (isThere()) resolve();
      };
      this.#wake();
    });
    await withDeadline(found, 15_000, () => `${what}: ${JSON.stringify(this.events)}\n${this.output}`);
  }
}
