import type { Probe } from '../../src/contracts/upstream.js';

/** A probe of `/` by plain http, unless it is said otherwise. */
export function makeProbe(changed: Partial<Probe> = {}): Probe {
  return {
    path: '/',
    host: 'localhost',
    scheme: 'http',
    proxyHeaders: {},
    scriptName: '',
    timeoutMs: 10_000,
    ...changed,
  };
}
