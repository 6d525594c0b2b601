import type { Clock } from '../contracts/clock.js';
import { BoundedOutput, type Remains } from './bounded-output.js';
import { JournalPriorities } from './journal-priorities.js';
import type { LogStream } from './line-batch.js';
import { LogDescriptor } from './log-descriptor.js';
import type { Output } from './output.js';

/** What is read of `process`. */
export type OutputHost = Pick<NodeJS.Process, 'stdout' | 'stderr' | 'env'>;

export interface HostOutput extends Output {
  /** Waits for the last lines, see BoundedOutput. */
  settle(timeoutMs: number | undefined): Promise<Remains>;
}

/**
 * stdout and stderr of this process, for everything that it writes. One output where both lead to the same place: otherwise
 * lines of one would overtake those of the other.
 */
export function openOutputs(host: OutputHost, clock: Clock): Readonly<Record<LogStream, HostOutput>> {
  const [one, two] = [describe(host, 'stdout'), describe(host, 'stderr')];
  const stdout = toOutput(one, host, clock);
  const stderr = one.descriptor.identity === two.descriptor.identity ? stdout : toOutput(two, host, clock);
  return { stdout, stderr };
}

// Private

interface Described {
  readonly stream: LogStream;
  readonly descriptor: LogDescriptor;
}

function describe(host: OutputHost, stream: LogStream): Described {
  const makeStream = () => host[stream] as ReturnType<ConstructorParameters<typeof LogDescriptor>[1]>;
  return { stream, descriptor: new LogDescriptor(stream === 'stdout' ? 1 : 2, makeStream) };
}

function toOutput({ stream, descriptor }: Described, host: OutputHost, clock: Clock): HostOutput {
  const { isTerminal } = descriptor;
  const output = new BoundedOutput(descriptor, clock);
  const priorities = isJournal(descriptor, host.env) ? new JournalPriorities() : undefined;
  return {
    write: (text) => output.write(priorities?.prefix(text) ?? text),
    onNews: (listener) => output.onNews(listener),
    reopen: () => descriptor.reopen(),
    settle: (timeoutMs) => output.settle(timeoutMs),
    backpressure: output,
    isTerminal,
    // A pseudo-terminal whose size nobody set has no columns.
    columns: () => (isTerminal ? host[stream].columns || undefined : undefined),
    colour: wantsColour(isTerminal, host.env),
  };
}

/** systemd.exec(5): device and inode of what the journal reads, in the environment of everything that writes elsewhere too. */
function isJournal({ identity }: LogDescriptor, { JOURNAL_STREAM = '' }: NodeJS.ProcessEnv): boolean {
  return JOURNAL_STREAM !== '' && identity.startsWith(`${JOURNAL_STREAM}:`);
}

/** By the rules of no-color.org and force-color.org. */
function wantsColour(isTerminal: boolean, env: NodeJS.ProcessEnv): boolean {
  if (env.NO_COLOR !== undefined && env.NO_COLOR !== '') return false;
  if (env.FORCE_COLOR !== undefined && env.FORCE_COLOR !== '') return env.FORCE_COLOR !== '0';
  return isTerminal && env.TERM !== 'dumb';
}
