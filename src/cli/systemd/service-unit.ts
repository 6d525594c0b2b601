import { unitCommand, unitPaths, unitValue } from './unit-text.js';

/** What a unit for a project is made of. Paths are absolute. */
export interface ServicePlan {
  /** Of the unit, without its ending. */
  readonly name: string;
  readonly projectDir: string;
  readonly user: string;
  /** Undefined: the user's own. */
  readonly group: string | undefined;
  /** Node.js, its arguments, and the program. */
  readonly program: readonly string[];
  /** Variables, which are no line of the unit: everybody can read that. */
  readonly environmentFile: string | undefined;
  /** Arguments of `easyserve start` behind the folder. */
  readonly startArgs: readonly string[];
  /** Everything else below / can only be read. */
  readonly writable: readonly string[];
  /** Whether something that it needs is in a home folder. */
  readonly needsHome: boolean;
  /** How long requests in flight and the application may take to end. */
  readonly stopTimeoutMs: number;
  /** Names of socket units that bind the ports in its place. */
  readonly socketUnits: readonly string[];
  /** Below /run, for its Unix socket. */
  readonly runtimeFolder: string | undefined;
  /** Whether systemd can wait longer after each of several crashes. */
  readonly isBackingOff: boolean;
}

/** The first line of every unit that is ours: what uninstall, and another install, may replace. */
export const unitMark = '# Written by `easyserve install`';

/** More than the application needs to stop once its time is over: its processes are killed and awaited. */
const STOP_RESERVE_S = 15;
const WATCHDOG_S = 60;
/** As long as `start --daemon` waits: collectstatic and the application's own start have tighter deadlines. */
const START_TIMEOUT = '15min';

/** The text of the .service unit; docs/systemd.md says what each line does. */
export function renderService(plan: ServicePlan): string {
  return [
    `${unitMark}, which replaces it; your own changes: systemctl edit.`,
    '# What each line does: docs/systemd.md of easyserve.',
    '[Unit]',
    `Description=${unitValue(`easyserve: ${plan.projectDir}`)}`,
    `After=${['network-online.target', ...plan.socketUnits].join(' ')}`,
    'Wants=network-online.target',
    ...(plan.socketUnits.length > 0 ? [`Requires=${plan.socketUnits.join(' ')}`] : []),
    // It would count what a person starts as well, and refuse that (systemd.unit(5)).
    'StartLimitIntervalSec=0',
    '',
    '[Service]',
    ...lifeLines(plan),
    '',
    ...rightLines(plan),
    '',
    ...fileLines(plan),
    '',
    ...kernelLines,
    '',
    '[Install]',
    'WantedBy=multi-user.target',
    '',
  ].join('\n');
}

// Private

function lifeLines({
  projectDir,
  user,
  group,
  program,
  environmentFile,
  startArgs,
  stopTimeoutMs,
  socketUnits,
  isBackingOff,
}: ServicePlan): string[] {
  return [
    'Type=notify',
    'NotifyAccess=all',
    `User=${unitValue(user)}`,
    ...(group === undefined ? [] : [`Group=${unitValue(group)}`]),
    ...(environmentFile === undefined ? [] : [`EnvironmentFile=${unitValue(environmentFile)}`]),
    `WorkingDirectory=${unitValue(projectDir)}`,
    `ExecStart=${unitCommand([...program, 'start', projectDir, ...startArgs])}`,
    `ExecReload=${unitCommand([...program, 'reload', projectDir])}`,
    ...(socketUnits.length > 0 ? [`Sockets=${socketUnits.join(' ')}`] : []),
    `TimeoutStartSec=${START_TIMEOUT}`,
    `TimeoutStopSec=${Math.ceil(stopTimeoutMs / 1000) + STOP_RESERVE_S}`,
    'KillMode=mixed',
    `WatchdogSec=${WATCHDOG_S}`,
    'Restart=always',
    'RestartSec=2',
    ...(isBackingOff ? ['RestartSteps=5', 'RestartMaxDelaySec=30'] : []),
    'RestartPreventExitStatus=2 3 4 7',
    'LimitNOFILE=65536',
    'UMask=0027',
  ];
}

/** With socket units it needs no right at all. */
function rightLines({ socketUnits }: ServicePlan): string[] {
  const bind = socketUnits.length > 0 ? '' : 'CAP_NET_BIND_SERVICE';
  return [
    `AmbientCapabilities=${bind}`,
    `CapabilityBoundingSet=${bind}`,
    'NoNewPrivileges=yes',
    'RestrictSUIDSGID=yes',
  ];
}

function fileLines({ name, writable, needsHome, runtimeFolder }: ServicePlan): string[] {
  return [
    'ProtectSystem=strict',
    `StateDirectory=${name}`,
    'StateDirectoryMode=0700',
    ...(runtimeFolder === undefined ? [] : [`RuntimeDirectory=${unitValue(runtimeFolder)}`]),
    `ReadWritePaths=${unitPaths(writable)}`,
    `ProtectHome=${needsHome ? 'read-only' : 'tmpfs'}`,
    'PrivateTmp=yes',
    'PrivateDevices=yes',
    'ProtectProc=invisible',
    'RemoveIPC=yes',
  ];
}

/** No MemoryDenyWriteExecute: V8 compiles JavaScript at run time. */
const kernelLines: readonly string[] = [
  'ProtectKernelTunables=yes',
  'ProtectKernelModules=yes',
  'ProtectKernelLogs=yes',
  'ProtectControlGroups=yes',
  'ProtectClock=yes',
  'ProtectHostname=yes',
  'RestrictNamespaces=yes',
  'RestrictRealtime=yes',
  'LockPersonality=yes',
  'RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK',
  'SystemCallArchitectures=native',
  'SystemCallFilter=@system-service',
  'SystemCallFilter=~@privileged',
  'SystemCallErrorNumber=EPERM',
];
