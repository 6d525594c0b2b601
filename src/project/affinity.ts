import type { Project } from '../contracts/project-facts.js';
import type { Settings } from '../settings/settings.js';

/** By what the requests are known that have to reach the same process, because it holds their session in its memory. */
export type Affinity =
  | { readonly kind: 'engine.io' }
  | { readonly kind: 'cookie' | 'header'; readonly name: string };

/** Undefined for everybody whose requests any process can answer. */
export function affinityOf(
  { affinity }: Pick<Settings, 'affinity'>,
  { hasEngineIo }: Pick<Project, 'hasEngineIo'>,
): Affinity | undefined {
  if (affinity === 'engine.io' || (affinity === 'auto' && hasEngineIo === true)) return { kind: 'engine.io' };
  const [, kind, name] = /^(cookie|header):(.+)$/.exec(affinity) ?? [];
  return name === undefined ? undefined : { kind: kind as 'cookie' | 'header', name };
}
