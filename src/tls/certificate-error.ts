import { EasyserveError, ExitCode } from '../contracts/errors.js';

/** A pair that was good yesterday may be refused for these today, although no setting is wrong. */
const ofTheClock = ['certificate-expired', 'certificate-not-yet-valid'];

/** A certificate or its key cannot be used. */
export class CertificateError extends EasyserveError {
  constructor(
    code: string,
    message: string,
    more: { hint?: string | undefined; detail?: string | undefined; cause?: unknown } = {},
  ) {
    super(code, ExitCode.settings, message, more);
  }

  /** Only the date speaks against the certificate. */
  get isOfTheClock(): boolean {
    return ofTheClock.includes(this.code);
  }
}
