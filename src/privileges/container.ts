import { existsSync, readFileSync, readlinkSync } from 'node:fs';
import { orElse } from '../contracts/or-else.js';

/** What is looked at; tests make their own. */
export interface ContainerSigns {
  readonly pid: number;
  readonly exists: (path: string) => boolean;
  /** Undefined where there is no such file. */
  readonly read: (path: string) => string | undefined;
  readonly readLink: (path: string) => string | undefined;
}

/** The first namespace of processes (PROC_PID_INIT_INO, include/linux/proc_ns.h): that of a machine, not of a container. */
const firstNamespace = 'pid:[4026531836]';

/** Control groups that engines make for a container. LXC and systemd-nspawn are not among them: theirs are whole machines. */
const engines =
  /[/:-](docker(?=[/-][0-9a-f]{12})|kubepods(?=[./-])|libpod(?=-[0-9a-f]{12})|containerd(?=-[0-9a-f]{12}))/;

/** By what this process is in a container of an application, in the words of a message. Undefined: it is not in one. */
export function findContainerSign(signs: ContainerSigns = systemSigns): string | undefined {
  const { pid, exists, read, readLink } = signs;
  if (pid === 1) return 'it is process 1';
  if (/(?:^|\0)KUBERNETES_SERVICE_HOST=/.test(read('/proc/self/environ') ?? ''))
    return 'KUBERNETES_SERVICE_HOST is set';
  if (exists('/run/.containerenv')) return '/run/.containerenv is there';
  // Virtual machines that are made from the image of a container have the file too.
  const isMachine = readLink('/proc/self/ns/pid') === firstNamespace;
  if (exists('/.dockerenv') && !isMachine) return '/.dockerenv is there';
  const groups = `${read('/proc/self/cgroup') ?? ''}\n${read('/proc/1/cgroup') ?? ''}`;
  const engine = engines.exec(groups)?.[1];
  return engine === undefined ? undefined : `its control group is one of ${engine}`;
}

// Private

const systemSigns: ContainerSigns = {
  pid: process.pid,
  exists: existsSync,
  read: (path) => orElse(undefined, () => readFileSync(path, 'utf8')),
  readLink: (path) => orElse(undefined, () => readlinkSync(path)),
};
