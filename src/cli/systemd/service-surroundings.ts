import { spawnSync } from 'node:child_process';
import { EasyserveError, ExitCode } from '../../contracts/errors.js';
import type { Privileges } from '../../privileges/privileges.js';
import { explainPortOwner, findPortOwner } from '../../sockets/port-owner.js';

/** Who has a port that the service `name` is to have, and how to end that: a start would fail. */
export function describeTakenPorts(name: string, ports: readonly number[]): readonly string[] {
  return ports.flatMap((port) => {
    const owner = findPortOwner(port);
    // Process 1 has the sockets of our own socket units.
    if (owner === undefined || owner.service === name || owner.pid === 1) return [];
    return [
      `Port ${port} is taken by process ${owner.pid} (${owner.command}), so the service cannot start yet.`,
      `  fix: ${explainPortOwner(port, owner)}`,
    ];
  });
}

/**
 * Runs easyserve as the user of the service would: Node.js in /root/.nvm, say, is out of his reach. Throws EasyserveError
 * `program-unreadable`.
 */
export function requireRunnable(program: readonly string[], user: string, privileges: Privileges): void {
  const { account, areKept } = privileges;
  if (account === undefined || !areKept) return;
  const [node = '', ...args] = program;
  const { uid, gid } = account;
  const options = { uid, gid, cwd: '/', env: {}, encoding: 'utf8', timeout: 30_000 } as const;
  const { status, error, stderr } = privileges.raised(() => spawnSync(node, [...args, '--version'], options));
  if (status === 0) return;
  const script = args.at(-1) ?? '';
  throw new EasyserveError(
    'program-unreadable',
    ExitCode.settings,
    `The user ${user} cannot run ${error === undefined ? script : node}, which the service starts as that user.`,
    {
      detail: error?.message ?? (stderr.trim() || undefined),
      hint: 'install Node.js and easyserve where every user can read them, as in /usr/local',
    },
  );
}
