import { unixPrefix } from '../../sockets/listening-socket.js';
import type { UnitPlans } from '../systemd/plan-service.js';
import type { UnitChange, UnitFolder } from '../systemd/unit-folder.js';

export interface Installed {
  readonly name: string;
  readonly changes: ReadonlyMap<string, UnitChange | 'removed'>;
  readonly plans: UnitPlans;
  /** What keeps the service from starting. */
  readonly notes: readonly string[];
  readonly folder: Pick<UnitFolder, 'path' | 'isSystemdRunning'>;
}

/** What `easyserve install` tells when it is done: what was written, what the service may do, what to type next. */
export function explainInstall({ name, changes, plans, folder, notes }: Installed): string {
  const units = [...changes.keys()].filter((unit) => changes.get(unit) !== 'removed');
  const written = [...changes].map(([unit, change]) => `${folder.path}/${unit}: ${change}`);
  if ([...changes.values()].every((change) => change === 'unchanged')) {
    return `${[...written, ...notes].join('\n')}\n`;
  }
  return `${[...written, '', ...describeRights(plans), '', ...describeNext(name, units, folder), ...notes].join('\n')}\n`;
}

// Private

function describeRights({ service, sockets }: UnitPlans): readonly string[] {
  const { user, writable, program } = service;
  const addresses = [...sockets.values()].map(({ role, port, host }) =>
    host?.startsWith(unixPrefix) ? host : `${port} (${role})`,
  );
  const ports =
    sockets.size > 0
      ? `systemd binds ${addresses.join(', ')}`
      : 'it may bind ports below 1024, and nothing else that root may';
  const lines = [
    `  user      ${user}`,
    `  ports     ${ports}`,
    `  writes    ${writable.join(', ')}; the rest it can only read`,
    '            (another folder: --writable logs)',
    '  starts    at boot, and again when it ends; each line is explained in docs/systemd.md',
  ];
  const isTemporary = program.some((part) => part.includes('/_npx/'));
  return isTemporary
    ? [...lines, "  note      npx's folder may be emptied: npm install --global @easyserve/cli, then again"]
    : lines;
}

function describeNext(
  name: string,
  units: readonly string[],
  { isSystemdRunning }: Pick<UnitFolder, 'isSystemdRunning'>,
): readonly string[] {
  const begin = isSystemdRunning
    ? []
    : [
        'systemd does not run here. Where it does:',
        '  sudo systemctl daemon-reload',
        `  sudo systemctl enable ${units.join(' ')}`,
      ];
  return [
    ...(isSystemdRunning ? ['Next:'] : begin),
    `  sudo systemctl restart ${units.join(' ')}`,
    `  sudo systemctl reload ${name}      # fails with the reason, and the old code serves on`,
    `  journalctl -u ${name} -f`,
  ];
}
