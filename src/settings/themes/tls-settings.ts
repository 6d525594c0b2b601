import { certificateList } from '../certificate-format.js';
import { boolean, integer, nullable, oneOf } from '../formats.js';
import { file, hostAddress } from '../place-formats.js';
import type { Definitions } from '../setting-definition.js';

/** HTTPS, but for what concerns getting certificates by ACME. */
export const tlsSettings: Definitions<
  | 'https'
  | 'httpsPort'
  | 'http2'
  | 'tlsCert'
  | 'tlsKey'
  | 'tlsPassphraseFile'
  | 'tlsCertificates'
  | 'redirectToHttps'
  | 'canonicalHost'
  | 'hsts'
> = {
  https: {
    format: nullable(boolean),
    default: null,
    doc: 'Whether to serve HTTPS. Unset: where a certificate or a domain is set. true with neither makes a certificate for development on this machine.',
    effect: 'listeners',
  },
  httpsPort: {
    format: nullable(integer(0, 65_535)),
    default: null,
    doc: 'Port of HTTPS; 0 takes any free one. Unset: 443 where the process may bind it, else 8443.',
    effect: 'listeners',
  },
  http2: {
    format: boolean,
    default: true,
    doc: 'Whether HTTP/2 is offered over HTTPS; HTTP/1.1 always is.',
    effect: 'live',
  },
  tlsCert: {
    format: nullable(file),
    default: null,
    doc: 'File of a certificate of your own: PEM, with the certificates of its issuers.',
    effect: 'live',
  },
  tlsKey: {
    format: nullable(file),
    default: null,
    doc: 'File of the private key that belongs to tlsCert: PEM. Unset: it is in the same file.',
    effect: 'live',
  },
  tlsPassphraseFile: {
    format: nullable(file),
    default: null,
    doc: 'File whose first line is the passphrase of tlsKey, where the key is encrypted.',
    effect: 'live',
  },
  tlsCertificates: {
    format: certificateList,
    default: [],
    doc: 'More certificates of your own, each a table with cert, key and passphraseFile. A visitor gets the first one that has the name he asks for.',
    effect: 'live',
  },
  redirectToHttps: {
    format: boolean,
    default: true,
    doc: 'Whether HTTP requests for the names of the site are sent on to HTTPS.',
    effect: 'live',
  },
  canonicalHost: {
    format: nullable(hostAddress),
    default: null,
    doc: 'The one host name of the site, like www.example.com: visitors of its other names are sent there.',
    effect: 'live',
  },
  hsts: {
    format: oneOf('off', 'on', 'ramp'),
    default: 'off',
    doc: 'Whether browsers are told to use nothing but HTTPS (Strict-Transport-Security). "ramp" tells them for an hour at first, and for a year after 30 days without a failure.',
    effect: 'live',
  },
};
