import { EventEmitter } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { CliContext } from '../../../src/cli/cli-context.js';
import { noBackpressure } from '../../../src/log/backpressure.js';
import type { Output } from '../../../src/log/output.js';
import { keepUser } from '../../support/keep-user.js';

/** Keeps what is printed. */
export class RecordingOutput implements Output {
  text = '';
  readonly isTerminal: boolean;
  readonly colour: boolean = false;
  readonly backpressure = noBackpressure;

  constructor(isTerminal = false) {
    this.isTerminal = isTerminal;
  }

  write(text: string): void {
    this.text += text;
  }

  onNews(): void {}

  async reopen(): Promise<undefined> {}
}

export interface RecordingContext extends CliContext {
  readonly stdout: RecordingOutput;
  readonly stderr: RecordingOutput;
  readonly signals: EventEmitter;
}

/** A command line without a process of its own. */
export function makeContext(cwd: string, more: Partial<CliContext> = {}): RecordingContext {
  return {
    env: { PATH: process.env.PATH, ...keepUser },
    cwd,
    version: '1.2.3',
    exec: {
      nodePath: process.execPath,
      nodeArgs: [],
      script: fileURLToPath(new URL('./verbs/fake-daemon.js', import.meta.url)),
    },
    outputClosed: new AbortController().signal,
    ...more,
    stdout: new RecordingOutput(),
    stderr: new RecordingOutput(),
    signals: new EventEmitter(),
  };
}
