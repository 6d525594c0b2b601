import type { MessagePort } from 'node:worker_threads';
import type { ThreadReport, ThreadRequest } from '../../contracts/node-order.js';
import { type Link, type LinkCommand, type LinkEvent, readCommand } from './link.js';

/** Of an application in a thread of easyserve's process; the other end is app/thread-execution. */
export class ThreadLink implements Link {
  readonly #port: MessagePort;

  constructor(port: MessagePort, onCommand: (command: LinkCommand) => void) {
    this.#port = port;
    port.on('message', (request: ThreadRequest) => {
      if ('line' in request) onCommand(readCommand(request.line));
      else this.#report({ usedBytes: measureThread() });
    });
    // The link alone must not keep the application alive.
    port.unref();
  }

  tell(event: LinkEvent): void {
    this.#report({ line: JSON.stringify(event) });
  }

  /** It does what no thread can do. */
  needProcess(reason: string, isReady: boolean): void {
    this.#report({ needsProcess: reason, isReady });
  }

  // Private

  #report(report: ThreadReport): void {
    this.#port.postMessage(report);
  }
}

// Private

/** The figures of memoryUsage are those of the thread, but for `rss`. */
function measureThread(): number {
  const { heapTotal, external } = process.memoryUsage();
  return heapTotal + external;
}
