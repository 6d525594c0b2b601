import type { Format } from './formats.js';

/**
 * What a changed value needs on a reload, weakest first; docs/settings.md prints it.
 *
 *   live        read at each use: the running processes take it over
 *   generation  new application processes
 *   listeners   another listening socket
 *   restart     `easyserve restart`
 */
export type SettingEffect = 'live' | 'generation' | 'listeners' | 'restart';

/** Everything that is known of one setting. Its environment variable follows from its key (settings/setting-name). */
export interface SettingDefinition<T> {
  readonly format: Format<T>;
  readonly default: T;
  /** One or two plain sentences for docs/settings.md. */
  readonly doc: string;
  readonly effect: SettingEffect;
}

/** The type comes from the format; the default has to match it. */
export function defineSetting<const T>(
  definition: Omit<SettingDefinition<T>, 'default'> & { readonly default: NoInfer<T> },
): SettingDefinition<T> {
  return definition;
}
