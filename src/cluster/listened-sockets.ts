import type { Scheme } from '../contracts/scheme.js';
import type { ListeningSocket } from '../sockets/listening-socket.js';
import type { WorkerHandle } from './worker-handle.js';

/** What one worker that is coming up listens on already, until it is what the others do. Used by ClusterRunner. */
export class ListenedSockets {
  readonly #handle: Pick<WorkerHandle, 'listen' | 'unlisten'>;
  readonly #sockets = new Map<Scheme, ListeningSocket>();

  constructor(handle: Pick<WorkerHandle, 'listen' | 'unlisten'>) {
    this.#handle = handle;
  }

  areLike(wanted: ReadonlyMap<Scheme, ListeningSocket>): boolean {
    const isSame = [...wanted].every(([scheme, socket]) => this.#sockets.get(scheme) === socket);
    return isSame && wanted.size === this.#sockets.size;
  }

  /** Makes them so; what is wanted may have changed again by then. */
  async follow(wanted: ReadonlyMap<Scheme, ListeningSocket>): Promise<void> {
    for (const [scheme, socket] of [...wanted]) {
      if (this.#sockets.get(scheme) === socket) continue;
      this.#sockets.set(scheme, socket);
      await this.#handle.listen(scheme, socket.handle);
    }
    for (const scheme of [...this.#sockets.keys()]) {
      if (wanted.has(scheme)) continue;
      this.#sockets.delete(scheme);
      await this.#handle.unlisten(scheme);
    }
  }
}
