import type { Origins } from './layer.js';
import type { Problem } from './problem.js';
import type { SettingKey } from './setting-definition.js';
import type { Settings } from './settings.js';

/** Values that are right by themselves and wrong together. Called by settings/load last. */
export function findConflicts(settings: Settings, origins: Origins): Problem[] {
  const problems: Problem[] = [];
  const describe = (key: SettingKey) => `${key} = ${JSON.stringify(settings[key])} (${origins[key]})`;
  const { fronts, processes } = settings;
  if (typeof fronts === 'number' && typeof processes === 'number' && fronts > processes) {
    problems.push({
      code: 'conflicting-settings',
      message: `${describe('fronts')} is more than ${describe('processes')}, and each front needs a process of its own`,
      hint: `set fronts to at most ${processes}, or processes to at least ${fronts}`,
    });
  }
  if (settings.restartBackoffMs > settings.restartBackoffMaxMs) {
    problems.push({
      code: 'conflicting-settings',
      message: `${describe('restartBackoffMs')} is more than ${describe('restartBackoffMaxMs')}`,
      hint: 'set restartBackoffMaxMs to the longest pause, restartBackoffMs to the first',
    });
  }
  return problems;
}
