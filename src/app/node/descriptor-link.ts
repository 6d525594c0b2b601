import { writeSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { type Link, type LinkCommand, type LinkEvent, readCommand } from './link.js';

/** The descriptor that app/process-execution opens. */
const DESCRIPTOR = 3;

/**
 * Of an application in a process of its own. The descriptor is read by a thread (watch-descriptor): at its end the process
 * must end, in the middle of an endless loop too.
 */
export class DescriptorLink implements Link {
  constructor(onCommand: (command: LinkCommand) => void) {
    const watcher = new Worker(new URL('./watch-descriptor.js', import.meta.url), {
      workerData: DESCRIPTOR,
      // What was meant for the application: its flags, its modules to load first.
      execArgv: [],
      env: {},
    });
    watcher.on('message', (line: string) => onCommand(readCommand(line)));
    // After the listener, which would keep the application alive.
    watcher.unref();
  }

  tell(event: LinkEvent): void {
    try {
      writeSync(DESCRIPTOR, `${JSON.stringify(event)}\n`);
    } catch {
      // easyserve has gone: the end of the descriptor ends this process.
    }
  }
}
