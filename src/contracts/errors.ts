/** Exit codes of the command line, named in docs/exit-codes.md. They never change their meaning. */
export const ExitCode = {
  ok: 0,
  /** Something easyserve did not foresee. */
  unexpected: 1,
  /** The command line itself is wrong: unknown verb, unknown flag, missing argument. */
  usage: 2,
  /** A setting is unknown or malformed. */
  settings: 3,
  /** No application was found, or it cannot be hosted (Django missing, module not importable). */
  application: 4,
  /** The application exited, hung or raised before it was ready for the first time. */
  startFailed: 5,
  /** The address is taken or may not be bound. */
  address: 6,
  /** Another instance serves this folder already. */
  alreadyRunning: 7,
  /** No instance serves this folder. */
  notRunning: 8,
  /** A reload was refused; the old release still serves. */
  reloadFailed: 9,
  /** `easyserve check` found something that should be mended. */
  checkFailed: 10,
  /** A second signal forced the stop; requests may have been cut. */
  forced: 130,
} as const;

/** An error as plain data, for the control socket and the cluster's messages. */
export interface ErrorRecord {
  readonly code: string;
  readonly message: string;
  readonly hint?: string | undefined;
  readonly detail?: string | undefined;
  readonly exitCode: number;
}

export interface ErrorMore {
  /** What to do, as a command where there is one. */
  readonly hint?: string | undefined;
  /** More lines for the reader: the application's own traceback, usually. */
  readonly detail?: string | undefined;
  readonly cause?: unknown;
}

/** An error for people: a code, one plain sentence, and the fix. cli/main prints it, and exits with its exit code. */
export class EasyserveError extends Error {
  /** Stable, kebab-case; documented. */
  readonly code: string;
  readonly exitCode: number;
  readonly hint: string | undefined;
  readonly detail: string | undefined;

  constructor(code: string, exitCode: number, message: string, more: ErrorMore = {}) {
    super(message, more.cause === undefined ? undefined : { cause: more.cause });
    this.name = new.target.name;
    this.code = code;
    this.exitCode = exitCode;
    this.hint = more.hint;
    this.detail = more.detail;
  }

  toRecord(): ErrorRecord {
    const { code, message, hint, detail, exitCode } = this;
    return { code, message, hint, detail, exitCode };
  }

  /** The reverse of toRecord, for the receiving side of a socket or a cluster message. */
  static fromRecord(record: ErrorRecord): EasyserveError {
    return new EasyserveError(record.code, record.exitCode, record.message, record);
  }
}

/** A setting is unknown, malformed, or contradicts another. */
export class SettingsError extends EasyserveError {
  constructor(code: string, message: string, more: ErrorMore = {}) {
    super(code, ExitCode.settings, message, more);
  }
}

/** No application here, or one that cannot be hosted. */
export class ApplicationError extends EasyserveError {
  constructor(code: string, message: string, more: ErrorMore = {}) {
    super(code, ExitCode.application, message, more);
  }
}

/** The application did not become ready. */
export class StartError extends EasyserveError {
  constructor(code: string, message: string, more: ErrorMore = {}) {
    super(code, ExitCode.startFailed, message, more);
  }
}

/** Makes an ErrorRecord of anything that was thrown. */
export function describeError(error: unknown): ErrorRecord {
  if (error instanceof EasyserveError) return error.toRecord();
  const message = error instanceof Error ? error.message : String(error);
  const detail = error instanceof Error ? error.stack : undefined;
  return { code: 'unexpected', message, detail, exitCode: ExitCode.unexpected };
}
