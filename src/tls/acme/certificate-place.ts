import { join } from 'node:path';

/** Where a user's state goes: the XDG Base Directory Specification, and for root the place of services (FHS section 5.8). */
export interface UserPlaces {
  readonly isRoot: boolean;
  readonly home: string;
  /** $XDG_STATE_HOME */
  readonly stateHome: string | undefined;
  /** $STATE_DIRECTORY, which systemd sets for StateDirectory= (systemd.exec(5)); several are separated by colons. */
  readonly stateDirectory: string | undefined;
}

/**
 * The folder of certificates while acmeFolder is not set: of the user, not of the project, so that a new checkout orders
 * nothing anew. Called by whoever makes the CertificateFolder.
 */
export function certificatePlace({ isRoot, home, stateHome, stateDirectory }: UserPlaces): string {
  const ofService = stateDirectory?.split(':')[0];
  if (ofService) return join(ofService, 'certificates');
  if (isRoot) return '/var/lib/easyserve/certificates';
  // Relative paths in it are invalid and to be ignored, the specification says.
  const base = stateHome?.startsWith('/') ? stateHome : join(home, '.local', 'state');
  return join(base, 'easyserve', 'certificates');
}
