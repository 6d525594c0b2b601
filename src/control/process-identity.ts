import { readFile } from 'node:fs/promises';

/** Which process is meant, even after its number was given to another one. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks from boot to the start of the process: field 22 of /proc/<pid>/stat (proc_pid_stat(5)). Linux only. */
  readonly startTicks?: string | undefined;
  /** Start ticks begin anew with every boot. Linux only. */
  readonly bootId?: string | undefined;
}

interface ProcessFacts {
  readonly state: string;
  readonly startTicks: string;
}

export async function identifyProcess(pid: number): Promise<ProcessIdentity> {
  const facts = await readProcessFacts(pid);
  return { pid, startTicks: facts?.startTicks, bootId: await readBootId() };
}

/** Whether that very process still runs; a zombie doesn't. */
export async function isProcessAlive(identity: ProcessIdentity): Promise<boolean> {
  // 0 and below address process groups (kill(2)).
  if (identity.pid <= 0 || !canSignal(identity.pid)) return false;
  if (identity.startTicks === undefined) return true;
  if (identity.bootId !== undefined && identity.bootId !== (await readBootId())) return false;
  const facts = await readProcessFacts(identity.pid);
  // With /proc mounted hidepid=2 another user's process takes signals but shows no facts: the number must do.
  if (facts === undefined) return canSignal(identity.pid);
  return facts.startTicks === identity.startTicks && facts.state !== 'Z' && facts.state !== 'X';
}

/** Whether a process is stopped: by Ctrl-Z, SIGSTOP or a debugger (proc_pid_stat(5)). Linux only. */
export async function isProcessStopped(pid: number): Promise<boolean> {
  const state = (await readProcessFacts(pid))?.state;
  return state === 'T' || state === 't';
}

function canSignal(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

async function readProcessFacts(pid: number): Promise<ProcessFacts | undefined> {
  const stat = await readIfThere(`/proc/${pid}/stat`);
  if (stat === undefined) return undefined;
  // Field 2, the command name, may hold spaces and brackets: count from the last bracket, after which field 3 stands.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const state = fields[0];
  const startTicks = fields[19];
  return state === undefined || startTicks === undefined ? undefined : { state, startTicks };
}

async function readBootId(): Promise<string | undefined> {
  return (await readIfThere('/proc/sys/kernel/random/boot_id'))?.trim();
}

/** Undefined off Linux, and when the process is gone (ESRCH while its file is read). */
async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch {
    return undefined;
  }
}
