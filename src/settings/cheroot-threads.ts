import { isTable } from './formats.js';
import type { Layer } from './layer.js';

/** Of Cheroot's two names for the same thing the first is the public one: cheroot.wsgi.Server, HTTPServer. */
const threadKeywords = ['numthreads', 'minthreads'] as const;

/**
 * Adds `threads` to a layer that gives `cheroot` with a number of threads and not `threads` itself.
 * So does a site that moves over keep as many threads as it had.
 */
export function withCherootThreads(layer: Layer): Layer {
  const cheroot = layer.entries.find((entry) => entry.key === 'cheroot');
  if (cheroot === undefined || !isTable(cheroot.value)) return layer;
  if (layer.entries.some((entry) => entry.key === 'threads')) return layer;
  for (const keyword of threadKeywords) {
    const value = cheroot.value[keyword];
    if (value === undefined) continue;
    const threads = { ...cheroot, key: 'threads', value, where: `${cheroot.where} ${keyword}` } as const;
    return { ...layer, entries: [...layer.entries, threads] };
  }
  return layer;
}
