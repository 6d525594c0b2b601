import type { Release } from '../app/pool/release.js';
import type { Scheme } from '../contracts/scheme.js';
import type { SiteStatus } from '../contracts/status.js';
import type { TlsMaterial } from '../contracts/tls-material.js';
import type { Settings } from '../settings/settings.js';
import type { Runner } from '../site/runner.js';
import type { Site } from '../site/site.js';
import type { ListeningSocket } from '../sockets/listening-socket.js';

/** Single-process threaded mode: one site, inside this process. Its sibling is cluster/ClusterRunner. */
export class SingleRunner implements Runner {
  readonly #site: Site;

  constructor(site: Site) {
    this.#site = site;
  }

  async start(release: Release): Promise<void> {
    await this.#site.prepare(release, 'reported', release.plan.processes);
    await this.#site.commit();
  }

  prepare(release: Release): Promise<void> {
    return this.#site.prepare(release, 'required', release.plan.processes);
  }

  commit(): Promise<void> {
    return this.#site.commit();
  }

  discard(): Promise<void> {
    return this.#site.discard();
  }

  drained(): Promise<void> {
    return this.#site.drained();
  }

  configure(settings: Settings): Promise<void> {
    return this.#site.configure(settings);
  }

  listen(socket: ListeningSocket): Promise<void> {
    return this.#site.listen(socket.scheme, socket.handle);
  }

  unlisten(scheme: Scheme): Promise<void> {
    return this.#site.unlisten(scheme);
  }

  useTls(material: TlsMaterial): Promise<void> {
    return this.#site.useTls(material);
  }

  scale(processes: number): Promise<void> {
    return this.#site.scale(processes, processes);
  }

  async status(): Promise<SiteStatus[]> {
    return [await this.#site.status()];
  }

  stop(drainTimeoutMs: number): Promise<void> {
    return this.#site.stop(drainTimeoutMs);
  }

  kill(): Promise<void> {
    return this.#site.kill();
  }
}
