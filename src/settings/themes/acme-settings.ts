import { hostName } from '../address-formats.js';
import { boolean, listOf, nullable, oneOf, textLike, textThat } from '../formats.js';
import { file, folder } from '../path-formats.js';
import { defineSetting } from '../setting-definition.js';

const domainNames = listOf(
  textLike(hostName, 'a host name'),
  'a list of host names, like ["example.com", "www.example.com"], without ports; those with other letters in their ASCII form (xn--…); no wildcards, because they need DNS-01 challenges, which easyserve does not answer',
);

const httpsUrl = textThat(
  (text) => /^https:\/\/[!-~]+$/.test(text) && URL.canParse(text),
  'a URL that begins with https://',
);

/** One address, and nothing that could add a second one to the `mailto:` that it becomes. */
const emailAddress = textLike(/^[!#$&'*+./0-9=?A-Z^_`a-z{|}~-]+@[0-9A-Za-z.-]+$/, 'an e-mail address');

export const acmeSettings = {
  domains: defineSetting({
    format: domainNames,
    default: [],
    doc: 'Host names of the site. For each one a certificate is ordered and kept renewed, by ACME.',
    effect: 'live',
  }),
  acmeDirectory: defineSetting({
    format: httpsUrl,
    default: 'https://acme-v02.api.letsencrypt.org/directory',
    doc: "ACME directory of the certificate authority. The default is Let's Encrypt.",
    effect: 'live',
  }),
  acmeEmail: defineSetting({
    format: nullable(emailAddress),
    default: null,
    doc: 'Address that the certificate authority may write to; told when an account is registered. Some demand one.',
    effect: 'live',
  }),
  acmeAgreeTerms: defineSetting({
    format: boolean,
    default: true,
    doc: 'Whether you agree to the terms of service of the certificate authority. Who sets domains agrees, unless this is false.',
    effect: 'live',
  }),
  acmeKeyType: defineSetting({
    format: oneOf('ecdsa', 'rsa'),
    default: 'ecdsa',
    doc: 'Keys of new certificates: "ecdsa" on P-256, which every browser knows, or "rsa" with 2048 bits for very old clients.',
    effect: 'live',
  }),
  acmeEabKeyId: defineSetting({
    format: nullable(textLike(/^[!-~]+$/, 'printable text without spaces')),
    default: null,
    doc: 'Key identifier of an external account binding, where the certificate authority has given you one.',
    effect: 'live',
  }),
  acmeEabHmacKeyFile: defineSetting({
    format: nullable(file),
    default: null,
    doc: 'File with the HMAC key that belongs to acmeEabKeyId, as the certificate authority has given it (base64url).',
    effect: 'live',
  }),
  acmeCaFile: defineSetting({
    format: nullable(file),
    default: null,
    doc: 'PEM file of a root certificate by which the server of acmeDirectory is known, beside the usual ones: for an authority of your own.',
    effect: 'live',
  }),
  acmeFolder: defineSetting({
    format: nullable(folder),
    default: null,
    doc: "Folder of accounts, keys and certificates. Several sites may share it. Unset: in the user's state folder, outside of the project.",
    effect: 'live',
  }),
};
