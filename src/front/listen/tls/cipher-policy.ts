import { constants } from 'node:crypto';
import type { SecureContextOptions } from 'node:tls';

/**
 * What is negotiated: Mozilla's "intermediate" (https://wiki.mozilla.org/Security/Server_Side_TLS, version 5.7), without its two
 * DHE ciphers, which no client of TLS 1.2 needs. All have forward secrecy and authenticated encryption.
 */
const tls13 = ['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256'];
const tls12 = [
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
];

export const cipherPolicy: SecureContextOptions = {
  minVersion: 'TLSv1.2',
  maxVersion: 'TLSv1.3',
  ciphers: [...tls13, ...tls12].join(':'),
  // All are strong, and the client knows which one its processor is fast at.
  honorCipherOrder: false,
  // HTTP/2 forbids it (RFC 9113 section 9.2.1), and nothing else uses it.
  secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
  // Node's default is made from process.argv, and then a worker would not resume a session that another one began.
  sessionIdContext: 'easyserve',
  // Lifetime of a ticket in seconds: OpenSSL's own default.
  sessionTimeout: 7200,
};
