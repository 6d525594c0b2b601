import { realpath } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import type { Clock } from '../contracts/clock.js';
import { systemClock } from '../contracts/clock.js';
import { EasyserveError, type ErrorRecord, ExitCode } from '../contracts/errors.js';
import { LineCutter } from '../log/line-cutter.js';
import { readLockRecord } from './file-lock.js';
import { isProcessStopped } from './process-identity.js';
import type { ControlReply, ControlRequest } from './protocol.js';
import type { StateFolder } from './state-folder.js';
import { describeStateFolder, findStateFolders } from './state-folder.js';

export interface CallOptions {
  readonly onProgress?: (text: string) => void;
  readonly onLine?: (text: string) => void;
  /** Ends the call: the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /** From the request to the result. */
  readonly timeoutMs?: number;
  readonly clock?: Clock;
  /** Default: as whoever this process is. */
  readonly actAsOwner?: ActAsOwner;
}

/** Does something in a state folder as the user whose folder it is (privileges/act-as-owner). */
export type ActAsOwner = <T>(path: string, act: () => Promise<T>) => Promise<T>;

/** A connection to a running instance, and where that instance keeps its state. */
export interface InstanceConnection {
  readonly folder: StateFolder;
  readonly socket: Socket;
}

/** The instance could not be asked. Anything else that callInstance throws is the instance's own answer. */
export class InstanceError extends EasyserveError {}

/** The instance answers these from memory. */
const promptAnswerMs = 10_000;
/**
 * The rest takes as long as the application takes to start or to finish its requests. The instance has its own, tighter
 * deadlines for that, and the call ends with the instance; this only keeps a forgotten script from waiting without an end.
 */
const patientAnswerMs = 60 * 60 * 1000;
const maxReplyLength = 16 * 1024 * 1024;

/**
 * Asks the running instance of a project.
 *
 * Throws InstanceError (`not-running`, `instance-not-permitted`, `instance-stopped`, `instance-gone`, `instance-silent`, `instance-garbled`), or
 * the error that the instance answered.
 */
export async function callInstance(
  projectDir: string,
  request: ControlRequest,
  options: CallOptions = {},
): Promise<unknown> {
  return exchange((await connectToInstance(projectDir, options.actAsOwner)).socket, request, options);
}

/** Finds the instance. For `stop`, which has to know the state folder too; other verbs use callInstance. */
export async function connectToInstance(
  projectDir: string,
  asOwner: ActAsOwner = (_path, act) => act(),
): Promise<InstanceConnection> {
  let stale: string | undefined;
  let forbidden: string | undefined;
  for (const folder of await findStateFolders(projectDir)) {
    try {
      return await asOwner(folder.path, () => connectIn(folder));
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      if (code === 'ECONNREFUSED') stale ??= folder.controlSocket;
      else if (code === 'EACCES' || code === 'EPERM') forbidden ??= folder.path;
      else if (code !== 'ENOENT' && code !== 'ENOTDIR' && code !== 'EINVAL') throw error;
    }
  }
  throw stale === undefined && forbidden !== undefined
    ? notPermitted(forbidden)
    : notRunning(projectDir, stale);
}

async function connectIn(folder: StateFolder): Promise<InstanceConnection> {
  const socket = await openSocket(folder.controlSocket);
  // It may be a link: the project was started under its other name (state-folder.ts).
  const own = describeStateFolder(dirname(await realpath(folder.controlSocket)));
  const pid = (await readLockRecord(own.pidFile))?.pid ?? 0;
  // The kernel takes connections for a process that is stopped, which answers none.
  if (await isProcessStopped(pid)) {
    socket.destroy();
    throw stopped(pid);
  }
  return { folder: own, socket };
}

/** One request over an open connection, which is closed afterwards. */
export async function exchange(
  socket: Socket,
  request: ControlRequest,
  options: CallOptions = {},
): Promise<unknown> {
  const { signal, clock = systemClock, timeoutMs = defaultTimeoutMs(request) } = options;
  let cancel: () => void = () => undefined;
  let onAbort: () => void = () => undefined;
  const ended = new Promise<never>((_resolve, reject) => {
    cancel = clock.after(timeoutMs, () => reject(silent(timeoutMs)));
    onAbort = () => reject(signal?.reason);
    if (signal?.aborted) onAbort();
    signal?.addEventListener('abort', onAbort);
  });
  try {
    const result = readResult(socket, options);
    socket.write(`${JSON.stringify(request)}\n`);
    return await Promise.race([result, ended]);
  } finally {
    cancel();
    signal?.removeEventListener('abort', onAbort);
    socket.destroy();
  }
}

/** Passes on progress and lines until the result comes. */
function readResult(socket: Socket, options: CallOptions): Promise<unknown> {
  const reader = new LineCutter({ maxLineLength: maxReplyLength, whenLonger: 'throw' });
  return new Promise((resolve, reject) => {
    socket.on('data', (chunk) => {
      try {
        for (const line of reader.push(chunk)) {
          const reply = JSON.parse(line) as ControlReply;
          if ('progress' in reply) options.onProgress?.(reply.progress);
          else if ('line' in reply) options.onLine?.(reply.line);
          else if ('error' in reply) reject(toError(reply.error));
          else resolve(reply.result);
        }
      } catch (error) {
        reject(garbled(error));
      }
    });
    socket.once('error', (error) => reject(gone(error)));
    socket.once('close', () => reject(gone()));
    if (socket.destroyed) reject(gone());
  });
}

/** Whoever listens there may have sent anything: what the rest takes for text is text, and a refusal never ends with 0. */
function toError({ code, message, hint, detail, exitCode }: ErrorRecord): EasyserveError {
  const isFailure = Number.isInteger(exitCode) && exitCode > 0 && exitCode < 256;
  return new EasyserveError(String(code), isFailure ? exitCode : ExitCode.unexpected, String(message), {
    hint: hint === undefined ? undefined : String(hint),
    detail: detail === undefined ? undefined : String(detail),
  });
}

function openSocket(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.off('error', reject);
      // exchange() sees an error from before its own listener as a destroyed socket.
      socket.on('error', () => undefined);
      resolve(socket);
    });
  });
}

function defaultTimeoutMs(request: ControlRequest): number {
  if (request.verb === 'logs' && request.follow) return 2 ** 31 - 1;
  const isPrompt = request.verb === 'ping' || request.verb === 'status' || request.verb === 'config';
  return isPrompt ? promptAnswerMs : patientAnswerMs;
}

function notRunning(projectDir: string, stale: string | undefined): InstanceError {
  const detail = stale === undefined ? undefined : `${stale} is stale: the instance that made it has died.`;
  return new InstanceError('not-running', ExitCode.notRunning, `No instance is running for ${projectDir}.`, {
    hint: '`easyserve start`',
    detail,
  });
}

function notPermitted(path: string): InstanceError {
  return new InstanceError(
    'instance-not-permitted',
    ExitCode.unexpected,
    `${path} belongs to another user, so you cannot control the instance that keeps its state there.`,
    { hint: 'run the command with sudo, or as the user that started easyserve' },
  );
}

function stopped(pid: number): InstanceError {
  return new InstanceError(
    'instance-stopped',
    ExitCode.unexpected,
    `The instance (process ${pid}) is stopped, by Ctrl-Z or SIGSTOP, and answers nobody.`,
    {
      hint: `\`kill -CONT ${pid}\`, or \`fg\` in its terminal; \`easyserve start --daemon\` serves without a terminal`,
    },
  );
}

function gone(cause?: unknown): InstanceError {
  return new InstanceError('instance-gone', ExitCode.unexpected, 'The instance ended before it answered.', {
    cause,
  });
}

function silent(timeoutMs: number): InstanceError {
  return new InstanceError(
    'instance-silent',
    ExitCode.unexpected,
    `The instance runs, but did not answer within ${Math.round(timeoutMs / 1000)} seconds.`,
  );
}

export function garbled(cause: unknown): InstanceError {
  const detail = cause instanceof Error ? cause.message : String(cause);
  return new InstanceError(
    'instance-garbled',
    ExitCode.unexpected,
    'The instance answered something that this version does not understand.',
    {
      hint: '`easyserve stop`, then `easyserve start`, if another version was installed since it started',
      detail,
      cause,
    },
  );
}
