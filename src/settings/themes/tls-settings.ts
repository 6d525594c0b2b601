import { hostAddress } from '../address-formats.js';
import { boolean, type Format, integer, isTable, nullable, oneOf, table } from '../formats.js';
import { file } from '../path-formats.js';
import { defineSetting } from '../setting-definition.js';

/** The PEM files (absolute) of a certificate. */
export interface CertificateFiles {
  readonly cert: string;
  /** Missing: the key is in the file of the certificate. */
  readonly key?: string;
  /** Its first line is the passphrase of the key. */
  readonly passphraseFile?: string;
}

const parts: readonly string[] = ['cert', 'key', 'passphraseFile'];

/** As text: a JSON list, because the name of a file may hold a comma. */
const certificateList: Format<readonly CertificateFiles[]> = {
  allowed: 'a list of tables with cert and, where needed, key and passphraseFile, each the path of a file',
  accepts: (value): value is readonly CertificateFiles[] =>
    Array.isArray(value) && value.every(isCertificate),
  read: (text) => (text.trim() === '' ? [] : table.read(text)),
  resolve: (value, projectDir) =>
    value.map((each) => {
      const paths = Object.entries(each).map(([part, path]) => [part, file.resolve?.(path, projectDir)]);
      return Object.fromEntries(paths) as CertificateFiles;
    }),
};

function isCertificate(value: unknown): value is CertificateFiles {
  if (!isTable(value) || !Object.hasOwn(value, 'cert')) return false;
  return Object.entries(value).every(([part, path]) => parts.includes(part) && file.accepts(path));
}

/** HTTPS, but for what concerns getting certificates by ACME. */
export const tlsSettings = {
  https: defineSetting({
    format: nullable(boolean),
    default: null,
    doc: 'Whether to serve HTTPS. Unset: where a certificate or a domain is set. true with neither makes a certificate for development on this machine.',
    effect: 'listeners',
  }),
  httpsPort: defineSetting({
    format: nullable(integer(0, 65_535)),
    default: null,
    doc: 'Port of HTTPS; 0 takes any free one. Unset: 443 where the process may bind it, else 8443.',
    effect: 'listeners',
  }),
  http2: defineSetting({
    format: boolean,
    default: true,
    doc: 'Whether HTTP/2 is offered over HTTPS; HTTP/1.1 always is.',
    effect: 'live',
  }),
  tlsCert: defineSetting({
    format: nullable(file),
    default: null,
    doc: 'File of a certificate of your own: PEM, with the certificates of its issuers.',
    effect: 'live',
  }),
  tlsKey: defineSetting({
    format: nullable(file),
    default: null,
    doc: 'File of the private key that belongs to tlsCert: PEM. Unset: it is in the same file.',
    effect: 'live',
  }),
  tlsPassphraseFile: defineSetting({
    format: nullable(file),
    default: null,
    doc: 'File whose first line is the passphrase of tlsKey, where the key is encrypted.',
    effect: 'live',
  }),
  tlsCertificates: defineSetting({
    format: certificateList,
    default: [],
    doc: 'More certificates of your own, each a table with cert, key and passphraseFile. A visitor gets the first one that has the name he asks for.',
    effect: 'live',
  }),
  redirectToHttps: defineSetting({
    format: boolean,
    default: true,
    doc: 'Whether HTTP requests for the names of the site are sent on to HTTPS.',
    effect: 'live',
  }),
  canonicalHost: defineSetting({
    format: nullable(hostAddress),
    default: null,
    doc: 'The one host name of the site, like www.example.com: visitors of its other names are sent there.',
    effect: 'live',
  }),
  hsts: defineSetting({
    format: oneOf('off', 'on', 'ramp'),
    default: 'off',
    doc: 'Whether browsers are told to use nothing but HTTPS (Strict-Transport-Security). "ramp" tells them for an hour at first, and for a year after 30 days without a failure.',
    effect: 'live',
  }),
};
