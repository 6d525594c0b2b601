import { acmeSettings } from './themes/acme-settings.js';
import { applicationSettings } from './themes/application-settings.js';
import { fileSettings } from './themes/file-settings.js';
import { lifecycleSettings } from './themes/lifecycle-settings.js';
import { limitSettings } from './themes/limit-settings.js';
import { operationSettings } from './themes/operation-settings.js';
import { privilegeSettings, processSettings } from './themes/process-settings.js';
import { replacementSettings } from './themes/replacement-settings.js';
import { requestSettings } from './themes/request-settings.js';
import { tlsSettings } from './themes/tls-settings.js';

/** Every setting. The type Settings is made from it. */
export const schema = {
  ...processSettings,
  ...tlsSettings,
  ...acmeSettings,
  ...privilegeSettings,
  ...applicationSettings,
  ...fileSettings,
  ...requestSettings,
  ...limitSettings,
  ...lifecycleSettings,
  ...replacementSettings,
  ...operationSettings,
};

export type SettingKey = keyof typeof schema;

export const settingKeys = Object.keys(schema) as readonly SettingKey[];

export function isSettingKey(name: string): name is SettingKey {
  return Object.hasOwn(schema, name);
}

/** The order and the headings of docs/settings.md. */
export const themes: readonly { readonly title: string; readonly keys: readonly SettingKey[] }[] = [
  { title: 'Address and processes', keys: keysOf(processSettings) },
  { title: 'HTTPS', keys: keysOf(tlsSettings) },
  { title: 'Certificates by ACME', keys: keysOf(acmeSettings) },
  { title: 'User and group', keys: keysOf(privilegeSettings) },
  { title: 'Application', keys: keysOf(applicationSettings) },
  { title: 'Static files, media and compression', keys: keysOf(fileSettings) },
  { title: 'Requests', keys: keysOf(requestSettings) },
  { title: 'Limits', keys: keysOf(limitSettings) },
  { title: 'Start, health and stop', keys: keysOf(lifecycleSettings) },
  { title: 'Recycling and restarts', keys: keysOf(replacementSettings) },
  { title: 'Settings file and logs', keys: keysOf(operationSettings) },
];

function keysOf(definitions: Partial<typeof schema>): readonly SettingKey[] {
  return Object.keys(definitions) as SettingKey[];
}
