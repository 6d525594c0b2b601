import { EasyserveError, ExitCode } from '../../contracts/errors.js';

/**
 * Why there is no (new) certificate: a code, the cause in plain words, and what to do. Never ends the program: it is shown
 * by `easyserve status` and logged, and the order is tried again.
 */
export class AcmeError extends EasyserveError {
  /** How long the certificate authority asks to wait; undefined where it says nothing. */
  readonly retryAfterMs: number | undefined;
  /** `urn:ietf:params:acme:error:` is left off: RFC 8555 section 6.7. Undefined where the CA gave none. */
  readonly problemType: string | undefined;

  constructor(
    code: string,
    message: string,
    more: {
      hint?: string | undefined;
      detail?: string | undefined;
      cause?: unknown;
      retryAfterMs?: number | undefined;
      problemType?: string | undefined;
    } = {},
  ) {
    super(code, ExitCode.unexpected, message, more);
    this.retryAfterMs = more.retryAfterMs;
    this.problemType = more.problemType;
  }

  /** Whether the certificate authority is at fault, so that another one might succeed. */
  get isFaultOfCa(): boolean {
    return faultsOfCa.has(this.code);
  }
}

const faultsOfCa = new Set([
  'acme-ca-unreachable',
  'acme-ca-untrusted',
  'acme-ca-failed',
  'acme-ca-garbage',
  'acme-ca-slow',
  'acme-rate-limited',
]);

const untrusted = new Set([
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'ERR_TLS_CERT_ALTNAME_INVALID',
]);

const otherTime = new Set(['CERT_HAS_EXPIRED', 'CERT_NOT_YET_VALID']);

const networkReasons: Readonly<Record<string, string>> = {
  ENOTFOUND: 'its name is not known to the DNS',
  EAI_AGAIN: "this machine's DNS server does not answer",
  ECONNREFUSED: 'it refuses connections',
  ECONNRESET: 'it cut the connection',
  ETIMEDOUT: 'it does not answer',
  EHOSTUNREACH: 'there is no route to it',
  ENETUNREACH: 'this machine has no network',
};

/** What went wrong between this machine and the CA. `timeoutMs` is given where our own deadline came first. */
export function describeNetworkError(error: unknown, url: string, timeoutMs: number | undefined): AcmeError {
  const host = hostOf(url);
  if (timeoutMs !== undefined) {
    return new AcmeError('acme-ca-slow', `${host} gave no answer within ${timeoutMs / 1000} s.`, {
      cause: error,
    });
  }
  const { code = '', message } = error as NodeJS.ErrnoException;
  if (otherTime.has(code)) {
    return new AcmeError(
      'acme-clock-wrong',
      `By the clock of this machine the certificate of ${host} is not valid at this time.`,
      { hint: 'look at `date`, then: sudo timedatectl set-ntp true', cause: error },
    );
  }
  if (untrusted.has(code)) {
    return new AcmeError('acme-ca-untrusted', `The certificate of ${host} is not signed by anyone trusted.`, {
      hint: 'for a certificate authority of your own, set acmeCaFile to its root certificate',
      cause: error,
    });
  }
  const reason = networkReasons[code] ?? message;
  return new AcmeError('acme-ca-unreachable', `${host} can't be reached: ${reason}.`, { cause: error });
}

const forbidden = new Set(['EACCES', 'EPERM', 'EROFS', 'ENOTDIR']);
const full = new Set(['ENOSPC', 'EDQUOT']);

/** For anything thrown by an order. Other errors than AcmeErrors come from the file system, as a rule. */
export function toAcmeError(error: unknown): AcmeError {
  if (error instanceof AcmeError) return error;
  const { code = '', message = String(error), path } = (error ?? {}) as Partial<NodeJS.ErrnoException>;
  const what = path ?? 'The folder of the certificates';
  if (full.has(code)) {
    return new AcmeError('acme-disk-full', `${what} can't be written: the disk is full.`, {
      hint: 'df -h; the order is repeated when there is room',
      cause: error,
    });
  }
  if (forbidden.has(code)) {
    return new AcmeError('acme-folder-forbidden', `${what} can't be written by this user (${code}).`, {
      hint: 'give the folder to the user that easyserve runs as, or set acmeFolder to another one',
      cause: error,
    });
  }
  const hint = error instanceof EasyserveError ? error.hint : undefined;
  const detail = error instanceof Error ? error.stack : undefined;
  return new AcmeError('acme-failed', `The order failed: ${message}`, { hint, detail, cause: error });
}

/** For an order that ends because its signal is aborted. */
export function brokenOff(): AcmeError {
  return new AcmeError('acme-stopped', 'The order was broken off because easyserve stops.');
}

export function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : url;
}
