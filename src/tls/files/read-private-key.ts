import { createPrivateKey, type KeyObject } from 'node:crypto';
import { CertificateError } from '../certificate-error.js';
import type { PemFile } from './read-pem-file.js';

const block = /-----BEGIN ((?:[A-Z0-9]+ )*PRIVATE KEY)-----[^-]*(?:-[^-]+)*-----END \1-----/;

/**
 * The private key in a file, decrypted where it is encrypted. `passphrase` is undefined where none is set.
 *
 * Throws CertificateError `certificate-key-malformed`, `passphrase-missing`, `passphrase-wrong`.
 */
export function readPrivateKey(file: PemFile, passphrase: string | undefined): KeyObject {
  const pem = block.exec(file.text)?.[0];
  if (pem === undefined) throw malformed(file, 'holds no private key in PEM form');
  if (!isEncrypted(pem)) return readPlain(file, pem);
  if (passphrase === undefined) {
    throw new CertificateError(
      'passphrase-missing',
      `The private key in ${file.path} is encrypted, and no passphrase is set.`,
      { hint: 'write the passphrase to a file, and name it by tlsPassphraseFile' },
    );
  }
  return decrypt(file, pem, passphrase);
}

// Private

/** PKCS #8 (RFC 7468 section 11), and the older form of OpenSSL (RFC 1421 section 4.6.1.1). */
function isEncrypted(pem: string): boolean {
  return pem.startsWith('-----BEGIN ENCRYPTED ') || /^Proc-Type: 4,ENCRYPTED\r?$/m.test(pem);
}

function readPlain(file: PemFile, pem: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch (error) {
    throw malformed(file, 'holds a damaged private key', error);
  }
}

/** With a wrong passphrase the padding is wrong as a rule; by chance it is right, and what comes out is no key. */
function decrypt(file: PemFile, pem: string, passphrase: string): KeyObject {
  try {
    return createPrivateKey({ key: pem, passphrase });
  } catch (error) {
    if ((error as { code?: unknown }).code === 'ERR_OSSL_EVP_UNSUPPORTED') {
      throw malformed(
        file,
        'holds a private key that is encrypted in a way that OpenSSL no longer reads',
        error,
      );
    }
    throw new CertificateError(
      'passphrase-wrong',
      `The private key in ${file.path} cannot be decrypted with the passphrase that is set.`,
      {
        hint: `openssl pkey -noout -in ${file.path} asks for the passphrase, and says whether it is right`,
        cause: error,
      },
    );
  }
}

function malformed(file: PemFile, what: string, cause?: unknown): CertificateError {
  return new CertificateError('certificate-key-malformed', `${file.path} ${what}.`, {
    hint: `openssl pkey -noout -in ${file.path} says more`,
    cause,
  });
}
