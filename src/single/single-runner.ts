import type { Runner } from '../site/runner.js';
import type { SiteControl } from '../site/site-control.js';

/** Single-process threaded mode: one site, inside this process. Its sibling is cluster/ClusterRunner. */
export function createSingleRunner(site: SiteControl): Runner {
  return {
    async start(release) {
      await site.prepare(release, 'reported', release.plan.processes);
      await site.commit();
    },
    prepare: (release) => site.prepare(release, 'required', release.plan.processes),
    commit: () => site.commit(),
    discard: () => site.discard(),
    drained: () => site.drained(),
    configure: (settings) => site.configure(settings),
    listen: ({ scheme, handle }) => site.listen(scheme, handle),
    unlisten: (scheme) => site.unlisten(scheme),
    useTls: (material) => site.useTls(material),
    scale: (processes) => site.scale(processes, processes),
    status: async () => [await site.status()],
    stop: (drainTimeoutMs) => site.stop(drainTimeoutMs),
    kill: () => site.kill(),
  };
}
