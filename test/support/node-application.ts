import { spawn } from 'node:child_process';
import { get, type IncomingHttpHeaders } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { TestContext } from 'node:test';
import { ProcessGroup } from '../../src/app/process/process-group.js';
import { NodeServer } from '../../src/app/servers/node-server.js';
import { readLines } from '../../src/log/read-lines.js';
import { makeFileTree } from './file-tree.js';
import { makeRelease, project } from './make-release.js';
import { withDeadline } from './with-deadline.js';

export interface AppEvent {
  readonly event: string;
  readonly reason?: string;
  readonly hint?: string;
  readonly stacks?: Readonly<Record<string, string>>;
}

/** A Node.js application under the runner (node/preload), without the rest of easyserve. */
export class NodeApplication {
  readonly group: ProcessGroup;
  readonly socketPath: string;
  readonly events: AppEvent[] = [];
  readonly #lines: string[] = [];
  #wake = (): void => {};

  private constructor(socketPath: string, group: ProcessGroup) {
    this.socketPath = socketPath;
    this.group = group;
    const { stdout, stderr, control } = group;
    for (const stream of [stdout, stderr]) if (stream) readLines(stream, (line) => this.#lines.push(line));
    if (control) {
      readLines(control, (line) => {
        if (line === '') return; // each event is on a line of its own
        this.events.push(JSON.parse(line) as AppEvent);
        this.#wake();
      });
      control.on('error', () => {}); // it has ended
    }
  }

  /** `files`: the first one is started. */
  static async start(
    t: TestContext,
    files: Readonly<Record<string, string>>,
    nodeArgs: readonly string[] = [],
  ): Promise<NodeApplication> {
    const root = await makeFileTree(t, files);
    const application = join(root, Object.keys(files)[0] ?? '');
    const socketPath = join(root, 'app.sock');
    const release = makeRelease({
      project: {
        ...project,
        root,
        kind: 'node',
        server: 'node',
        application,
        node: { nodeArgs, args: ['word'], env: {} },
      },
    });
    const plan = new NodeServer(process.env, process.execPath).plan(release, socketPath);
    const group = new ProcessGroup(plan, spawn, process.kill.bind(process));
    const app = new NodeApplication(socketPath, group);
    t.after(async () => {
      try {
        app.group.signal('SIGKILL');
      } catch {
        // it has ended
      }
      await app.group.ended;
    });
    return app;
  }

  get output(): string {
    return this.#lines.join('\n');
  }

  /** Resolves with the first event of that name. */
  async seen(event: string): Promise<AppEvent> {
    const isThere = (): AppEvent | undefined => this.events.find((candidate) => candidate.event === event);
    await this.#until(() => isThere() !== undefined, event);
    return isThere() as AppEvent;
  }

  send(command: 'stop' | 'stacks'): void {
    this.group.control?.write(`${JSON.stringify({ command })}\n`);
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
