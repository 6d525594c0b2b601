import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import fc from 'fast-check';
import { SettingsError } from '../../src/contracts/errors.js';
import { type LoadedSettings, loadSettings, type SettingsSources } from '../../src/settings/load.js';
import { type SettingKey, schema, settingKeys } from '../../src/settings/schema.js';
import { textOf } from '../support/arbitraries.js';
import { forAll } from '../support/for-all.js';

const folders: string[] = [];
after(() => {
  for (const folder of folders) rmSync(folder, { recursive: true });
});

const dirs = Object.fromEntries(['toml', 'yaml', 'json', 'none'].map((language) => [language, makeFolder()]));

function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'easyserve-fuzz-'));
  folders.push(folder);
  return folder;
}

/** The settings, or what is wrong; any other error is a fault. */
function load(
  language: string,
  text: string,
  more: Partial<SettingsSources> = {},
): LoadedSettings | SettingsError {
  const projectDir = dirs[language] as string;
  if (language !== 'none') writeFileSync(join(projectDir, `easyserve.${language}`), text);
  try {
    return loadSettings({ projectDir, env: {}, flags: [], ...more });
  } catch (error) {
    if (error instanceof SettingsError) return error;
    throw error;
  }
}

const key = fc.constantFrom(...settingKeys);
const words = [
  '\n',
  'port',
  'threads',
  'host',
  'true',
  '8000',
  '__proto__',
  'cheroot',
  '"""',
  "'''",
  '\x1b[31m',
  'é',
  '{}',
];
const fileText = textOf('={}[]:,"\'#-&*!|>.0aé \t\n\\', [...words, 'port = 1\n', 'port: 1\n', '{"port": 1}']);

for (const language of ['toml', 'yaml', 'json']) {
  forAll(`any text as ${language} is settings, or an error in one plain sentence`, fileText, (text) => {
    const outcome = load(language, text);
    if (outcome instanceof SettingsError) assert.notEqual(outcome.message, '');
    else assert.ok(Object.isFrozen(outcome.settings));
  });
}

forAll(
  'a value in a file is taken as it stands, or refused and named',
  fc.record({ key, value: fc.jsonValue({ maxDepth: 2 }) }),
  ({ key, value }) => {
    const outcome = load('json', JSON.stringify({ [key]: value }));
    if (!(outcome instanceof SettingsError)) {
      assert.ok(schema[key].format.accepts(outcome.settings[key]));
      return;
    }
    // Or it does not go together with the others.
    if (outcome.code === 'malformed-setting') assert.ok(outcome.message.includes(key));
  },
);

const flagText = fc.oneof(
  textOf('0123456789-+.eExX,=/:[]* \tfalsetrue', [
    'auto',
    'true',
    '\0',
    '__proto__=1',
    '{"a": 1}',
    '192.0.2.1/8',
  ]),
  fc.string({ unit: 'grapheme' }),
);

forAll(
  'text of a flag or of the environment means the same, and is taken whole or refused',
  fc.record({ key, text: flagText }),
  ({ key, text }) => {
    const flagged = load('none', '', { flags: [{ key, value: text, flag: '--set' }] });
    const fromEnvironment = load('none', '', { env: { [environmentName(key)]: text } });
    assert.equal(flagged instanceof SettingsError, fromEnvironment instanceof SettingsError);
    if (flagged instanceof SettingsError || fromEnvironment instanceof SettingsError) return;
    assert.deepEqual(flagged.settings[key], fromEnvironment.settings[key]);
    const { format } = schema[key];
    const taken: unknown = flagged.settings[key];
    assert.ok(format.accepts(taken));
    if (typeof taken === 'number') assert.equal(String(taken), text);
  },
);

function environmentName(key: SettingKey): string {
  return `EASYSERVE_${key.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;
}
