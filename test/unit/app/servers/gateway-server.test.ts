import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { GatewayServer } from '../../../../src/app/servers/gateway-server.js';
import type { Settings } from '../../../../src/settings/settings.js';
import { djangoProject, makeRelease, project } from '../../../support/make-release.js';

function planFor(
  settingsModule: string | undefined,
  transport: Settings['transport'] = 'auto',
  platform: NodeJS.Platform = 'linux',
) {
  const release = makeRelease({
    settings: { transport, scriptName: '/shop' },
    project: settingsModule === undefined ? project : djangoProject({}, settingsModule),
    plan: { threads: 6 },
  });
  const server = new GatewayServer({ PATH: '/bin', DJANGO_SETTINGS_MODULE: 'outer' }, platform);
  return server.plan(release, '/run/1.sock');
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
    '--script-name=/shop',
  ]);
  assert.deepEqual(env, {
    PATH: '/bin',
    EASYSERVE_APP_PORTS: '9464',
    DJANGO_SETTINGS_MODULE: 'shop.settings',
  });
});

test('a project that is not Django keeps the environment as it is', () => {
  assert.deepEqual(planFor(undefined).env, {
    PATH: '/bin',
    EASYSERVE_APP_PORTS: '9464',
    DJANGO_SETTINGS_MODULE: 'outer',
  });
});

test('it listens on a Unix socket, save where Python has none or TCP is asked for', () => {
  const isOverTcp = (transport: Settings['transport'], platform: NodeJS.Platform) =>
    planFor(undefined, transport, platform).args.includes('--tcp');
  assert.equal(isOverTcp('auto', 'linux'), false);
  assert.equal(isOverTcp('auto', 'darwin'), false);
  assert.equal(isOverTcp('auto', 'win32'), true);
  assert.equal(isOverTcp('tcp', 'linux'), true);
  assert.equal(isOverTcp('unix', 'win32'), false);
});

test('over TCP each process gets a secret of its own, which its command line does not show', () => {
  const plans = [planFor(undefined, 'tcp'), planFor(undefined, 'tcp')];
  const secrets = plans.map(({ addresses: [{ place, secret }] }) => {
    assert.deepEqual(place, { host: '127.0.0.1', port: 0 });
    assert.match(secret ?? '', /^[0-9a-f]{64}$/);
    return secret ?? '';
  });
  assert.notEqual(secrets[0], secrets[1]);
  for (const { args, env } of plans) {
    for (const text of [...args, ...Object.values(env)]) {
      assert.ok(!secrets.some((secret) => text?.includes(secret)), text);
    }
  }
  assert.equal(planFor(undefined).addresses[0].secret, undefined);
});
