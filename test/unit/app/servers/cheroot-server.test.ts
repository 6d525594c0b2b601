import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import type { Release } from '../../../../src/app/pool/release.js';
import { CherootServer } from '../../../../src/app/servers/cheroot-server.js';
import type { Settings } from '../../../../src/settings/settings.js';
import { djangoProject, makeRelease } from '../../../support/make-release.js';

const server = new CherootServer({ PATH: '/bin' });

function release(settings: Partial<Settings> = {}, totalProcesses = 1): Release {
  return makeRelease({
    settings,
    project: djangoProject({}, 'shop.settings'),
    plan: { processes: totalProcesses, threads: 6 },
  });
}

function keywordsOf(settings: Partial<Settings>): unknown {
  const text = server
    .plan(release(settings), '/run/1.sock')
    .args.find((each) => each.startsWith('--keywords='));
  return JSON.parse(text?.slice('--keywords='.length) ?? '');
}

test("Cheroot runs in the project, with its interpreter, behind the front's protocol", () => {
  const { command, args, cwd, env, readiness, addresses } = server.plan(release(), '/run/1.sock');
  const [file, ...options] = args;
  assert.deepEqual([command, cwd, readiness], ['/python', '/project', 'control']);
  assert.ok(file !== undefined && existsSync(file), file);
  assert.deepEqual(options, [
    '--socket=/run/1.sock',
    '--application=wsgi:application',
    '--control-fd=3',
    '--script-name=',
    '--keywords={"request_queue_size":2048,"numthreads":6}',
  ]);
  assert.deepEqual(env, {
    PATH: '/bin',
    EASYSERVE_APP_PORTS: '9464',
    DJANGO_SETTINGS_MODULE: 'shop.settings',
  });
  assert.deepEqual(addresses, [{ protocol: 'http', place: { path: '/run/1.sock' } }]);
});

test('a process gets as many requests as it has threads', () => {
  assert.equal(server.concurrency(release({ concurrency: 1024 })), 6);
});

test('every keyword is passed on; the number of threads is that of the plan', () => {
  const cheroot = {
    numthreads: 30,
    server_name: 'mine',
    timeout: 20,
    request_queue_size: 7,
    reuse_port: false,
  };
  assert.deepEqual(keywordsOf({ cheroot }), { ...cheroot, numthreads: 6 });
});

test('the application is told of its prefix, and of other processes', () => {
  assert.ok(server.plan(release({ scriptName: '/shop' }), '/s').args.includes('--script-name=/shop'));
  assert.ok(!server.plan(release(), '/s').args.includes('--multiprocess'));
  assert.ok(server.plan(release({}, 4), '/s').args.includes('--multiprocess'));
});
