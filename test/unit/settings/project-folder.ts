import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import { SettingsError } from '../../../src/contracts/errors.js';
import { type LoadedSettings, loadSettings, type SettingsSources } from '../../../src/settings/load.js';

/** Makes a folder with the files given and removes it after the test. */
export function makeProject(t: TestContext, files: Readonly<Record<string, string | Buffer>> = {}): string {
  const folder = mkdtempSync(join(tmpdir(), 'easyserve-settings-'));
  t.after(() => rmSync(folder, { recursive: true }));
  for (const [name, content] of Object.entries(files)) {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
  }
  return folder;
}

/** loadSettings with nothing in the environment and no flags unless they are given. */
export function load(projectDir: string, more: Partial<SettingsSources> = {}): LoadedSettings {
  return loadSettings({ projectDir, env: {}, flags: [], ...more });
}

/** The SettingsError that loading ends with; fails when it does not. */
export function loadError(projectDir: string, more: Partial<SettingsSources> = {}): SettingsError {
  try {
    load(projectDir, more);
  } catch (error) {
    if (error instanceof SettingsError) return error;
    throw error;
  }
  throw new Error('the settings were taken');
}
