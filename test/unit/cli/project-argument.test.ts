import assert from 'node:assert/strict';
import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { projectFolder, settingsSources } from '../../../src/cli/project-argument.js';
import { makeTempDir } from '../../support/copy-fixture.js';

const here = { base: undefined, dir: undefined };

test('the folder is the current one, or named from there, or from -C', () => {
  const context = { cwd: '/srv', env: {} };
  assert.equal(projectFolder(here, context), '/srv');
  assert.equal(projectFolder({ base: undefined, dir: 'site' }, context), '/srv/site');
  assert.equal(projectFolder({ base: 'sites', dir: 'one' }, context), '/srv/sites/one');
  assert.equal(projectFolder({ base: '/var', dir: '/opt/one' }, context), '/opt/one');
});

test('a settings file is named from where one types, not from the project', () => {
  const project = { base: undefined, dir: 'site' };
  const fileOf = (configFile: string | undefined) =>
    settingsSources({ project, configFile, flags: [] }, { cwd: '/srv', env: {} }).configFile;
  assert.equal(fileOf('a.toml'), '/srv/a.toml');
  assert.equal(fileOf(undefined), undefined);
});

test('the name that the shell gives the folder counts only where it is that folder', (t) => {
  const cwd = makeTempDir(t);
  const link = join(makeTempDir(t), 'current');
  symlinkSync(cwd, link);
  assert.equal(projectFolder(here, { cwd, env: { PWD: link } }), link);
  for (const PWD of ['/', 'current', `${link}/.`, `${link}/missing`, '']) {
    assert.equal(projectFolder(here, { cwd, env: { PWD } }), cwd);
  }
});
