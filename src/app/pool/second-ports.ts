import type { Clock } from '../../contracts/clock.js';
import type { UpstreamAddress } from '../../contracts/upstream.js';
import type { Log } from '../../log/log.js';
import type { Release } from './release.js';

/** What listens first may be the site, and another server of the application a moment later. */
const LOOK_AFTER_MS = 2000;

export interface SecondPortsOptions {
  /** The ports on which the group of processes with that leader listens. */
  readonly readPorts: (group: number) => Promise<readonly number[]>;
  readonly clock: Clock;
  readonly log: Log;
}

/** A process that has been started, as far as its ports go. */
export interface PortHolder {
  readonly pid: number;
  readonly isRunning: boolean;
  /** Resolves when it has ended. */
  readonly ended: Promise<void>;
  readonly address: UpstreamAddress;
}

/**
 * Tells of ports that an application opens beside the site, as for metrics, before the first reload: then two releases want each of them at
 * once. Under the preload Node.js waits for such a port (app/node/own-port), and Python shares those of the setting appPorts.
 */
export class SecondPorts {
  readonly #options: SecondPortsOptions;
  readonly #told = new Set<number>();

  constructor(options: SecondPortsOptions) {
    this.#options = options;
  }

  /** For a process that is ready. */
  watch(holder: PortHolder, release: Release): void {
    if (release.project.server === 'node') return;
    const cancel = this.#options.clock.after(LOOK_AFTER_MS, () => void this.#look(holder, release));
    void holder.ended.then(cancel);
  }

  // Private

  async #look(holder: PortHolder, { project, settings }: Release): Promise<void> {
    if (!holder.isRunning) return;
    const { place } = holder.address;
    const isCommand = project.server === 'command';
    const known = [...('port' in place ? [place.port] : []), ...(isCommand ? [] : settings.appPorts)];
    const ports = await this.#options.readPorts(holder.pid);
    for (const port of ports) {
      if (known.includes(port) || this.#told.has(port)) continue;
      this.#told.add(port);
      this.#options.log.warn(
        'second-port',
        `application ${holder.pid} listens on port ${port} too: unless that is shared, each reload and restart fails with "address already in use"`,
        {
          app: holder.pid,
          port,
          hint: isCommand
            ? shareByItself
            : `easyserve start --set appPorts=${[...settings.appPorts, port].join(',')}`,
        },
      );
    }
  }
}

const shareByItself =
  'let the program listen there with SO_REUSEPORT, or on a port of its own (0); else deploy by: easyserve stop && easyserve start';
