import { EasyserveError, ExitCode } from '../contracts/errors.js';

/** By these a pair that was good yesterday is refused today: no setting is wrong. */
const ofTheClock = ['certificate-expired', 'certificate-not-yet-valid'];

/** A certificate or its key cannot be used. Thrown by tls/certificate-pair, and handled by tls/own-certificates. */
export class CertificateError extends EasyserveError {
  constructor(
    code: string,
    message: string,
    more: { hint?: string | undefined; detail?: string | undefined; cause?: unknown } = {},
  ) {
    super(code, ExitCode.settings, message, more);
  }

  /** Only the time of day speaks against the certificate. */
  get isOfTheClock(): boolean {
    return ofTheClock.includes(this.code);
  }
}
