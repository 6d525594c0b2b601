import type { Settings } from './settings.js';

/** Whether the settings want HTTPS: said so, or there is something to serve it with. */
export function wantsHttps({ https, domains, tlsCert, tlsCertificates }: Settings): boolean {
  return https ?? (domains.length > 0 || tlsCert !== null || tlsCertificates.length > 0);
}
