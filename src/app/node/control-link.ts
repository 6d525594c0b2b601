import { writeSync } from 'node:fs';
import { Worker } from 'node:worker_threads';

/** The descriptor that app/process/process-group opens. */
const DESCRIPTOR = 3;

export type LinkCommand = 'stop' | 'stacks';

export type LinkEvent =
  | { readonly event: 'ready' }
  /** It will never be ready; the sentence has no full stop. */
  | { readonly event: 'failed'; readonly reason: string; readonly hint?: string | undefined }
  | { readonly event: 'terminated' }
  | { readonly event: 'stacks'; readonly stacks: Readonly<Record<string, string>> };

/**
 * The application's end of the descriptor that joins it to easyserve; app/process/app-control has the other.
 *
 * A thread reads it (watch-descriptor): at its end the process must end, in the middle of an endless loop too.
 */
export class ControlLink {
  constructor(onCommand: (command: LinkCommand) => void) {
    const watcher = new Worker(new URL('./watch-descriptor.js', import.meta.url), {
      workerData: DESCRIPTOR,
      // By default it would inherit what is meant for the application: its flags, and modules to load first.
      execArgv: [],
      env: {},
    });
    watcher.on('message', (line: string) =>
      onCommand((JSON.parse(line) as { command: LinkCommand }).command),
    );
    // Only now, because on('message') refs the thread again, which would keep the application alive.
    watcher.unref();
  }

  /**
   * Written at once, so that it arrives also when the application ends in the same moment; on a line of its own, whatever the
   * application has written to this descriptor.
   */
  tell(event: LinkEvent): void {
    try {
      writeSync(DESCRIPTOR, `\n${JSON.stringify(event)}\n`);
    } catch {
      // easyserve has gone: the end of the descriptor ends this process.
    }
  }
}
