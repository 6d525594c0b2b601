import assert from 'node:assert/strict';
import { constants } from 'node:os';
import { test } from 'node:test';
import type { Settings } from '../../../src/settings/settings.js';
import { bindAddress, isAddressOf, isInTheWay, wantedSchemes } from '../../../src/sockets/address.js';
import type { ListeningSocket } from '../../../src/sockets/listening-socket.js';
import { type CreateServerHandle, createServerHandle } from '../../../src/sockets/socket-handle.js';
import { releaseWith } from '../../support/instance-world.js';
import { djangoProject } from '../../support/make-release.js';
import { RecordingLog } from '../../support/recording-log.js';

interface Wanted {
  readonly host?: Settings['host'];
  readonly port?: Settings['port'];
  readonly isDebug?: boolean;
}

function wanted({ host = null, port = null, isDebug = false }: Wanted) {
  const { settings, project } = releaseWith({ host, port }, isDebug);
  return [settings, project] as const;
}

function socketAt(address: string): ListeningSocket {
  const [, host = '', port = ''] = /^(.*):(\d+)$/.exec(address) ?? [];
  return { scheme: 'http', host, port: Number(port) } as ListeningSocket;
}

const cases: [socket: string, wanted: Wanted, isAddress: boolean, isInWay: boolean][] = [
  ['0.0.0.0:80', {}, true, true],
  ['0.0.0.0:8000', {}, true, true],
  [':::8000', {}, true, true],
  [':::8000', { host: '0.0.0.0' }, false, true],
  ['0.0.0.0:8001', {}, false, false],
  ['127.0.0.1:8000', { isDebug: true }, true, true],
  ['127.0.0.1:8000', {}, false, true],
  ['0.0.0.0:8000', { isDebug: true }, false, true],
  ['127.0.0.1:9000', { host: '127.0.0.1', port: 9000 }, true, true],
  ['127.0.0.1:9000', { host: '127.0.0.1', port: 9001 }, false, false],
  ['127.0.0.1:9000', { host: '192.0.2.1', port: 9000 }, false, false],
  ['127.0.0.1:9000', { host: '::', port: 9000 }, false, true],
  ['127.0.0.1:34567', { host: '127.0.0.1', port: 0 }, true, false],
  ['127.0.0.1:34567', { host: '0.0.0.0', port: 0 }, false, false],
];
for (const [socket, want, isAddress, isInWay] of cases) {
  test(`a socket at ${socket}, where ${JSON.stringify(want)} is wanted`, () => {
    assert.equal(isAddressOf(socketAt(socket), ...wanted(want)), isAddress);
    assert.equal(isInTheWay(socketAt(socket), ...wanted(want)), isInWay);
  });
}

test('DEBUG without a host: loopback, with a warning that says how to change it', async (t) => {
  const log = new RecordingLog();
  const socket = await bindAddress(...wanted({ port: 0, isDebug: true }), log);
  t.after(() => socket.close());
  assert.equal(socket.host, '127.0.0.1');
  assert.match(String(log.all('debug-loopback')[0]?.fields.hint), /DEBUG = False/);

  const productionSettings = 'site.settings.production';
  const { settings } = releaseWith({ host: null, port: 0 });
  const beside = await bindAddress(settings, djangoProject({ isDebug: true, productionSettings }), log);
  t.after(() => beside.close());
  assert.equal(
    log.all('debug-loopback')[1]?.fields.hint,
    'easyserve start --set settingsModule=site.settings.production; or, to show your error pages to everybody: easyserve start --host 0.0.0.0',
  );
});

test('without DEBUG, or with a host, there is no warning', async (t) => {
  const log = new RecordingLog();
  for (const want of [{ port: 0 }, { host: '127.0.0.1', port: 0, isDebug: true }]) {
    const socket = await bindAddress(...wanted(want), log);
    t.after(() => socket.close());
    assert.equal(socket.host, want.host ?? '::');
  }
  assert.deepEqual(log.records, []);
});

test('a kernel without IPv6: IPv4, without a word', async (t) => {
  const log = new RecordingLog();
  const create: CreateServerHandle = (address, port, type, ...more) =>
    type === 6 ? -constants.errno.EAFNOSUPPORT : createServerHandle(address, port, type, ...more);
  const socket = await bindAddress(...wanted({ port: 0 }), log, { create });
  t.after(() => socket.close());
  assert.equal(socket.host, '0.0.0.0');
  assert.deepEqual(log.records, []);
});

test('HTTPS has its own port, and its own usual ones', async (t) => {
  const secure = (port: number) => ({ scheme: 'https', host: '0.0.0.0', port }) as ListeningSocket;
  const at = (httpsPort: Settings['httpsPort'], host: Settings['host'] = null) => {
    const { settings, project } = releaseWith({ host, port: 8443, httpsPort });
    return [settings, project] as const;
  };
  for (const port of [443, 8443]) assert.equal(isAddressOf(secure(port), ...at(null)), true);
  for (const port of [80, 8000]) assert.equal(isAddressOf(secure(port), ...at(null)), false);
  assert.equal(isAddressOf(secure(9443), ...at(9443)), true);
  assert.equal(isAddressOf(secure(8443), ...at(9443)), false);
  assert.equal(isInTheWay(secure(8443), ...at(9443), 'http'), true, 'HTTP wants that port now');
  assert.equal(isInTheWay(secure(8443), ...at(9443), 'https'), false);

  const socket = await bindAddress(...at(0, '127.0.0.1'), new RecordingLog(), { scheme: 'https' });
  t.after(() => socket.close());
  assert.equal(socket.url, `https://127.0.0.1:${socket.port}/`);
});

test('HTTPS is listened on where there is something to serve it with, beside HTTP', () => {
  const schemes = (settings: Partial<Settings>) => wantedSchemes(releaseWith(settings).settings);
  assert.deepEqual(schemes({}), ['http']);
  assert.deepEqual(schemes({ domains: ['example.com'] }), ['http', 'https']);
  assert.deepEqual(schemes({ domains: ['example.com'], https: false }), ['http']);
});
