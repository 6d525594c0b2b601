import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { GatewayServer } from '../../../src/app/gateway-server.js';
import { defaultSettings } from '../../support/default-settings.js';
import { project } from '../../support/pool-world.js';

function planFor(settingsModule: string | undefined) {
  const release = {
    generation: 1,
    settings: defaultSettings(),
    project: { ...project, settingsModule },
    processes: 1,
    totalProcesses: 1,
    threads: 6,
  };
  return new GatewayServer({ PATH: '/bin', DJANGO_SETTINGS_MODULE: 'outer' }).plan(release, '/run/1.sock');
}

test('the gateway runs in the project, with its interpreter', () => {
  const { command, args, cwd, env } = planFor('shop.settings');
  const [file, ...options] = args;
  assert.equal(command, '/python');
  assert.equal(cwd, '/project');
  assert.ok(file !== undefined && existsSync(file), file);
  assert.deepEqual(options, [
    '--socket=/run/1.sock',
    '--application=wsgi:application',
    '--threads=6',
    '--control-fd=3',
  ]);
  assert.deepEqual(env, { PATH: '/bin', DJANGO_SETTINGS_MODULE: 'shop.settings' });
});

test('a project that is not Django keeps the environment as it is', () => {
  assert.deepEqual(planFor(undefined).env, { PATH: '/bin', DJANGO_SETTINGS_MODULE: 'outer' });
});
