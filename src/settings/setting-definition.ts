import type { Format } from './formats.js';
import type { Settings } from './settings.js';

export type SettingKey = keyof Settings;

/**
 * What a changed value needs on a reload, weakest first; used by settings/changes and printed in docs/settings.md.
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

export type Definitions<K extends SettingKey> = { readonly [P in K]: SettingDefinition<Settings[P]> };
