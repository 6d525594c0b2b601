import { hostname } from 'node:os';

/** RFC 1123 section 2.1. */
const plainName = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*$/;

/**
 * What a person types to reach a site on his own machine; for tls/local-certificate. A machine without a domain is found
 * by others of the house under `.local` (RFC 6762).
 */
export function machineNames(machine: string = hostname()): readonly string[] {
  const own = machine.toLowerCase();
  const usual = ['localhost', '127.0.0.1', '::1'];
  if (!plainName.test(own) || own === 'localhost') return usual;
  return own.includes('.') ? [...usual, own] : [...usual, own, `${own}.local`];
}
