import { isIP } from 'node:net';
import { djangoFactsOf } from '../contracts/project-facts.js';
import { wantsHttps } from '../settings/settings.js';
import type { CertificateFiles } from '../settings/themes/tls-settings.js';
import { CertificateError } from '../tls/certificate-error.js';
import { type CertificatePair, readCertificatePair } from '../tls/files/certificate-pair.js';
import { certificateFilesOf } from '../tls/files/file-certificates.js';
import type { Check, Fault, Subject } from './check.js';

/** A CA sends its first reminder earlier, and this is the last one. */
const shortDays = 14;
const dayMs = 24 * 3600 * 1000;

/** Certificates of files; those that easyserve orders by itself it renews by itself. */
export const certificateChecks: readonly Check[] = [
  {
    name: 'certificate',
    severity: 'error',
    doc: 'A certificate of your own cannot be used: expired, not valid yet, or of another key; under its code in [errors](errors.md), like `certificate-expired`',
    isQuick: false,
    find: async (subject) =>
      (await readPairs(subject)).flatMap(({ outcome }) =>
        outcome instanceof CertificateError
          ? [{ name: outcome.code, message: outcome.message, fix: outcome.hint ?? '' }]
          : [],
      ),
  },
  {
    name: 'certificate-expires',
    severity: 'warning',
    doc: 'A certificate of your own expires within 14 days',
    isQuick: false,
    find: async (subject) =>
      (await readPairs(subject)).flatMap(({ files, outcome }) =>
        outcome instanceof CertificateError ? [] : findEnd(files, outcome, subject.machine.nowMs),
      ),
  },
  {
    name: 'certificate-incomplete',
    severity: 'warning',
    doc: 'A certificate of your own comes without that of its issuer, without a name, or with strange ones beside it',
    isQuick: false,
    find: async (subject) =>
      (await readPairs(subject)).flatMap(({ files, outcome }) =>
        outcome instanceof CertificateError
          ? []
          : outcome.warnings.map((message) => ({
              message,
              fix: `put the file that the CA calls fullchain in place of ${files.cert}; openssl x509 -noout -text -in ${files.cert} shows what is in it`,
            })),
      ),
  },
  {
    name: 'certificate-names',
    severity: 'error',
    doc: "A certificate of your own is for none of the site's names (a warning where only some are missing)",
    isQuick: false,
    find: findNames,
  },
];

// Private

interface ReadPair {
  readonly files: CertificateFiles;
  readonly outcome: CertificatePair | CertificateError;
}

async function readPairs({ settings, machine }: Subject): Promise<readonly ReadPair[]> {
  if (!wantsHttps(settings)) return [];
  return Promise.all(
    certificateFilesOf(settings).map(async (files) => {
      try {
        return { files, outcome: await readCertificatePair(files, machine.nowMs) };
      } catch (error) {
        if (error instanceof CertificateError) return { files, outcome: error };
        throw error;
      }
    }),
  );
}

function findEnd({ cert }: CertificateFiles, { facts }: CertificatePair, nowMs: number): readonly Fault[] {
  const days = Math.floor((facts.notAfterMs - nowMs) / dayMs);
  if (days >= shortDays) return [];
  return [
    {
      message: `The certificate in ${cert} expires in ${days} days, and easyserve does not renew it.`,
      fix: 'put the renewed one in its place, where it is noticed; or take tlsCert out, and set domains',
    },
  ];
}

/** `domains` that no certificate has get one by ACME. */
async function findNames(subject: Subject): Promise<readonly Fault[]> {
  const pairs = (await readPairs(subject)).flatMap(({ files, outcome }) =>
    outcome instanceof CertificateError ? [] : [{ files, names: outcome.facts.names }],
  );
  const wanted = namesOf(subject);
  if (pairs.length === 0 || wanted.length === 0) return [];
  const strange = pairs
    .filter(({ names }) => !wanted.some((name) => covers(names, name)))
    .map(({ files, names }) => ({
      message: `The certificate in ${files.cert} is for ${names.join(', ') || 'no name'}, and the site is ${wanted.join(', ')}.`,
      fix: 'a certificate for these names; or take tlsCert out, and set domains',
    }));
  if (strange.length > 0) return strange;
  const { domains } = subject.settings;
  const missing = wanted.filter(
    (name) => !domains.includes(name) && !pairs.some(({ names }) => covers(names, name)),
  );
  if (missing.length === 0) return [];
  return [
    {
      message: `No certificate is for ${missing.join(', ')}: browsers refuse the site under that name.`,
      fix: `domains = ${JSON.stringify(missing)} in easyserve.toml, or a certificate with ${missing.length === 1 ? 'it' : 'them'}`,
      severity: 'warning',
    },
  ];
}

/** Whole names that visitors use; an address, a pattern and this machine are none. */
function namesOf({ settings, project }: Subject): readonly string[] {
  const { domains, canonicalHost } = settings;
  const allowed = djangoFactsOf(project)?.allowedHosts ?? [];
  const all = [...domains, ...(canonicalHost === null ? [] : [canonicalHost]), ...allowed];
  const isName = (name: string): boolean =>
    /^[^.*[].*\.[a-z]/i.test(name) && isIP(name) === 0 && !/\.(localhost|local|internal)$/i.test(name);
  return [...new Set(all.filter(isName).map((name) => name.toLowerCase()))];
}

/** A wildcard stands for one label (RFC 9525 section 6.3). */
function covers(names: readonly string[], wanted: string): boolean {
  const pattern = wanted.replace(/^[^.]+/, '*');
  return names.includes(wanted) || names.includes(pattern);
}
