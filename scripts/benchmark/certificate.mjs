import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

/**
 * A certificate for all contenders: for 127.0.0.1, signed by itself, with a key on the curve P-256, which is what Let's Encrypt's
 * clients ask for by default. Returns the files {certificate, key}.
 */
export function makeCertificate(folder) {
  const certificate = join(folder, 'certificate.pem');
  const key = join(folder, 'key.pem');
  execFileSync(
    'openssl',
    [
      ...[
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:prime256v1',
        '-nodes',
        '-days',
        '30',
      ],
      ...['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'],
      ...['-keyout', key, '-out', certificate],
    ],
    { stdio: 'pipe' },
  );
  return { certificate, key };
}
