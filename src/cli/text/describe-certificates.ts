import type { CertificateStatus } from '../../contracts/status.js';
import { describeDuration } from './describe-quantity.js';
import { alignTable, below, indent, visible } from './layout.js';

/** The part of `easyserve status` that is about HTTPS: a table, and below it what went wrong, with its fix. */
export function describeCertificates(certificates: readonly CertificateStatus[], now: number): string {
  const table = alignTable([heading, ...certificates.map((certificate) => describeRow(certificate, now))]);
  return [table, ...certificates.flatMap(describeFailure)].join('');
}

// Private

const heading = ['CERTIFICATE', 'STATE', 'ISSUER', 'EXPIRES', 'NEXT RENEWAL'];

function describeRow(certificate: CertificateStatus, now: number): string[] {
  const { names, state, issuer, notAfter, nextRenewalAt } = certificate;
  return [
    names.join(', '),
    state,
    issuer ?? '',
    notAfter === undefined ? '' : `${notAfter.slice(0, 10)} (${describeEnd(Date.parse(notAfter), now)})`,
    nextRenewalAt === undefined ? '' : describeMoment(Date.parse(nextRenewalAt), now),
  ];
}

function describeEnd(atMs: number, now: number): string {
  return atMs > now ? `in ${describeDuration(atMs - now)}` : `expired ${describeDuration(now - atMs)} ago`;
}

function describeMoment(atMs: number, now: number): string {
  return atMs > now ? `in ${describeDuration(atMs - now)}` : 'now';
}

function describeFailure({ names, state, lastError }: CertificateStatus): readonly string[] {
  if (lastError === undefined || state === 'valid') return [];
  const { sentence, hint, detail } = lastError;
  const lines = [
    below(`${names.length === 0 ? '' : `${names.join(', ')}: `}${sentence}`),
    ...(detail === undefined ? [] : [indent(visible(detail), 2)]),
    ...(hint === undefined ? [] : [`  fix: ${below(hint)}`]),
  ];
  return lines.map((line) => `${line}\n`);
}
