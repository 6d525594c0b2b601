import { type Interpreter, isThreaded, type Project } from '../contracts/project-facts.js';
import type { Settings } from '../settings/settings.js';
import { affinityOf } from './affinity.js';
import type { Capacity } from './capacity.js';

/** How many processes and threads, in which mode, and why. */
export interface ProcessPlan {
  readonly mode: 'single' | 'cluster';
  /** Application processes in all; 0 for a folder of files. */
  readonly processes: number;
  /** Throng workers in cluster mode; 1 in single mode, where the front lives in the supervisor. */
  readonly fronts: number;
  /** Of each application process; 1 where its server has no use for them. */
  readonly threads: number;
  /** What machine or container have, for the buffers of the fronts. */
  readonly memoryBytes: number;
  /** Why this mode and number, for the log: `processes = auto: one for each of 4 cores (CPU affinity)`. */
  readonly reason: string;
  /** What else this machine could do, where the settings leave it unused. */
  readonly advice: string | undefined;
}

export interface PlanInput {
  readonly settings: Pick<Settings, 'processes' | 'threads' | 'fronts' | 'affinity'>;
  readonly capacity: Capacity;
  readonly project: Pick<Project, 'server' | 'hasEngineIo'> & {
    readonly python?: Pick<Interpreter, 'isGilEnabled'>;
    readonly applicationRssBytes?: number | undefined;
  };
}

interface Choice {
  readonly processes: number;
  readonly reason: string;
}

const singleThreads = 10;
const clusterThreads = 4;
const freeThreadsPerCore = 4;
const processesPerFront = 4;
/** The rest is for the fronts, for growth under load, and for the page cache. */
const memoryShare = 0.75;

/** Pure: the same input makes the same plan. */
export function planProcesses(input: PlanInput): ProcessPlan {
  const { settings } = input;
  if (input.project.server === 'none') return planFolder(input);
  const automatic = chooseProcesses(input);
  const { processes, reason } =
    settings.processes === 'auto' ? describeAutomatic(automatic) : describeFixed(settings.processes, input);
  const isCluster = processes > 1;
  return {
    mode: isCluster ? 'cluster' : 'single',
    processes,
    fronts: isCluster ? chooseFronts(input, processes) : 1,
    threads: chooseThreads(input, processes),
    memoryBytes: input.capacity.memoryLimitBytes,
    reason,
    advice: settings.processes === 1 ? advise(input, automatic) : adviseOnFronts(input, isCluster),
  };
}

/** The front alone serves a folder of files. */
function planFolder({ settings: { processes }, capacity }: PlanInput): ProcessPlan {
  const vain =
    typeof processes === 'number' && processes > 1 ? `, so processes = ${processes} has no effect` : '';
  const reason = `a folder of files needs no application process${vain}`;
  const memoryBytes = capacity.memoryLimitBytes;
  return { mode: 'single', processes: 0, fronts: 1, threads: 1, memoryBytes, reason, advice: undefined };
}

/** Shares `total` out over `fronts`, as evenly as it goes: 5 over 3 is [2, 2, 1]. */
export function distribute(total: number, fronts: number): number[] {
  return Array.from(
    { length: fronts },
    (_, index) => Math.floor(total / fronts) + (index < total % fronts ? 1 : 0),
  );
}

function describeFixed(processes: number, { project }: PlanInput): Choice {
  const why = processes === 1 && isThreaded(project.server) ? ': its threads share memory' : '';
  return { processes, reason: `processes = ${processes}${why}` };
}

function describeAutomatic({ processes, reason }: Choice): Choice {
  return { processes, reason: `processes = auto: ${reason}` };
}

/** The rule of `--processes auto`. */
function chooseProcesses({ capacity, project }: PlanInput): Choice {
  const wholeCores = Math.max(1, Math.floor(capacity.cores));
  const cores = describeCores(capacity);
  if (wholeCores === 1) return { processes: 1, reason: `${cores} can run one process` };
  if (project.python?.isGilEnabled === false) {
    return { processes: 1, reason: `Python's GIL is off, so the threads of one process use ${cores}` };
  }
  const fitting = countFitting(capacity, project.applicationRssBytes);
  if (fitting >= wholeCores) return { processes: wholeCores, reason: `one for each of ${cores}` };
  const each = toMebibytes(project.applicationRssBytes ?? 0);
  const memory = `${toMebibytes(capacity.memoryLimitBytes)} MiB (${capacity.memoryRule})`;
  return { processes: fitting, reason: `of ${each} MiB each, more would not fit into 75 % of ${memory}` };
}

function describeCores({ cores, rule }: Capacity): string {
  const number = Number(cores.toFixed(2));
  return `${number} ${number === 1 ? 'core' : 'cores'} (${rule})`;
}

/** How many applications fit into memory; at least one, as there is no site with fewer. */
function countFitting(capacity: Capacity, applicationRssBytes: number | undefined): number {
  if (applicationRssBytes === undefined) return Number.POSITIVE_INFINITY;
  return Math.max(1, Math.floor((capacity.memoryLimitBytes * memoryShare) / applicationRssBytes));
}

function toMebibytes(bytes: number): number {
  return Math.round(bytes / 1024 / 1024);
}

/**
 * A front without an application process would have nothing to do, hence the cap. Only one front reaches a process, so that with affinity
 * there is one.
 */
function chooseFronts({ settings, project }: PlanInput, processes: number): number {
  if (affinityOf(settings, project) !== undefined) return 1;
  const { fronts } = settings;
  return fronts === 'auto' ? Math.ceil(processes / processesPerFront) : Math.min(fronts, processes);
}

function chooseThreads({ settings, capacity, project }: PlanInput, processes: number): number {
  if (!isThreaded(project.server)) return 1;
  if (settings.threads !== 'auto') return settings.threads;
  const least = processes > 1 ? clusterThreads : singleThreads;
  if (project.python?.isGilEnabled !== false) return least;
  return Math.max(least, Math.ceil((freeThreadsPerCore * Math.floor(capacity.cores)) / processes));
}

function adviseOnFronts({ settings, project }: PlanInput, isCluster: boolean): string | undefined {
  if (!isCluster || settings.fronts === 'auto' || settings.fronts === 1) return undefined;
  if (affinityOf(settings, project) === undefined) return undefined;
  return `fronts = ${settings.fronts} has no effect: sessions need the same process (affinity), which one front alone reaches`;
}

function advise({ capacity }: PlanInput, automatic: Choice): string | undefined {
  if (automatic.processes === 1) return undefined;
  return `\`--processes auto\` would use ${automatic.processes} processes on ${describeCores(capacity)}`;
}
