import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { settingKeys } from '../../../src/settings/schema.js';
import { environmentName, toKeySpelling } from '../../../src/settings/setting-name.js';
import { repositoryRoot } from '../../support/repository.js';
import { load, makeProject } from './project-folder.js';

const examples = readdirSync(join(repositoryRoot, 'config')).filter((name) => name.endsWith('.toml'));

for (const name of examples) {
  test(`config/${name} is valid, also with every line switched on`, (t) => {
    const text = readFileSync(join(repositoryRoot, 'config', name), 'utf8');
    load(makeProject(t, { 'easyserve.toml': text }));
    const { origins } = load(makeProject(t, { 'easyserve.toml': text.replace(/^#(?=\S)/gm, '') }));
    const set = settingKeys.filter((key) => origins[key] === 'easyserve.toml');
    assert.ok(set.length > 5, `sets only ${set}`);
  });
}

test('the TOML of docs/settings.md is valid', (t) => {
  const page = readFileSync(join(repositoryRoot, 'docs', 'settings.md'), 'utf8');
  const [, toml = ''] = /```toml\n([^`]*)```/.exec(page) ?? [];
  const { settings } = load(makeProject(t, { 'easyserve.toml': toml }));
  assert.equal(settings.port, 8000);
});

test('every key has one spelling in each source that leads back to it', () => {
  for (const key of settingKeys) {
    assert.match(environmentName(key), /^EASYSERVE_[A-Z0-9]+(_[A-Z0-9]+)*$/);
    assert.equal(toKeySpelling(environmentName(key).slice('EASYSERVE_'.length)), key);
    assert.equal(toKeySpelling(key), key);
  }
});
