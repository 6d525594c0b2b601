import assert from 'node:assert/strict';
import { test } from 'node:test';
import { applicationEnvironment } from '../../../src/privileges/application-environment.js';

const env = {
  PATH: '/bin',
  HOME: '/root',
  USER: 'root',
  NOTIFY_SOCKET: '/n',
  LISTEN_FDS: '1',
  WATCHDOG_USEC: '1',
};

test('what the service manager says is not for the application', () => {
  assert.deepEqual(applicationEnvironment(env, undefined), { PATH: '/bin', HOME: '/root', USER: 'root' });
});

test('the home and the names are those of the user that root has become', () => {
  const shop = { uid: 1001, gid: 1001, name: 'shop', home: '/home/shop' };
  const own = { PATH: '/bin', HOME: '/home/shop', USER: 'shop', LOGNAME: 'shop' };
  assert.deepEqual(applicationEnvironment(env, shop), own);
  const numbered = applicationEnvironment(env, { ...shop, name: undefined, home: '/' });
  assert.deepEqual([numbered.USER, numbered.HOME], ['1001', '/']);
});
