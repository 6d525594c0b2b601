import type { Log } from '../log/log.js';
import { findContainerSign } from '../privileges/container.js';
import type { Privileges } from '../privileges/privileges.js';

/** Says what is usual in containers, and what would be better. */
export function warnOfContainer({ isRootUnasked }: Pick<Privileges, 'isRootUnasked'>, log: Log): void {
  if (process.pid === 1) {
    // The kernel gives process 1 all orphans (pid_namespaces(7)), and Node waits for its own children only.
    log.warn('no-init', 'processes that the application leaves behind stay as zombies here', {
      hint: 'docker run --init, or `init: true` in a compose file',
    });
  }
  if (isRootUnasked) {
    const text = `the application runs as root, as is usual in a container (${findContainerSign()})`;
    log.warn('root-in-container', text, {
      hint: 'a user of its own is safer: USER in the Dockerfile, runAsUser in a pod, or --set user=NAME',
    });
  }
}
