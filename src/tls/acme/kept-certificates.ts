import type { CertificateMaterial } from '../../contracts/tls-material.js';
import type { Settings } from '../../settings/settings.js';
import type { CertificateFolder } from './certificate-folder.js';

/**
 * Certificates that earlier orders have left in the folder, for these names. Used by Certificates before HTTPS is listened
 * on, so that nobody is shown a stand-in while the keeper begins. What can't be read is left to the keeper, which tells why.
 *
 * @param names host names, lower case
 */
export async function readKeptCertificates(
  folder: Pick<CertificateFolder, 'readCertificate' | 'readFormerCertificate'>,
  { acmeDirectory }: Pick<Settings, 'acmeDirectory'>,
  names: readonly string[],
): Promise<readonly CertificateMaterial[]> {
  const found = await Promise.allSettled(
    names.map(
      async (name) =>
        (await folder.readCertificate(acmeDirectory, [name])) ??
        (await folder.readFormerCertificate(acmeDirectory, [name])),
    ),
  );
  return found
    .flatMap((result) => (result.status === 'fulfilled' ? (result.value ?? []) : []))
    .map(({ names: its, certificatePem, keyPem }) => ({ names: its, certificatePem, keyPem }));
}
