import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { asgiServers } from '../../src/contracts/project-facts.js';
import { copyFixture, makeTempDir } from '../support/copy-fixture.js';
import { forEachMode, integrationTimeoutMs } from '../support/for-each-mode.js';
import { ask } from '../support/http-client.js';
import { runEasyserve } from '../support/run-easyserve.js';
import { openSiteWebSocket } from '../support/site-web-socket.js';
import { startEasyserve } from '../support/start-easyserve.js';

const behindProxy = {
  host: 'shop.example.org:8443',
  'x-forwarded-for': '203.0.113.9',
  'x-forwarded-proto': 'https',
  'x-forwarded-host': 'shop.example.org:8443',
};

for (const server of asgiServers) {
  test(`${server}: what the application is told, and how it ends`, {
    timeout: integrationTimeoutMs,
  }, async (t) => {
    const site = await startEasyserve(t, {
      fixture: 'asgi-hello',
      mode: 'single',
      settings: { server, trustedProxies: ['127.0.0.1'], maxHeaderBytes: 65_536, scriptName: '/site' },
    });
    assert.equal((await site.status()).project.server, server);

    await t.test('client, scheme, server and prefix', async () => {
      const { text } = await ask(site.url, '/site/facts', { headers: behindProxy });
      const { client, server: ours, scheme, rootPath } = JSON.parse(text);
      assert.deepEqual(
        { client, ours, scheme, rootPath },
        { client: ['203.0.113.9', 0], ours: ['shop.example.org', 8443], scheme: 'https', rootPath: '/site' },
      );
    });

    await t.test('the lifespan began before the first request', async () => {
      assert.equal(JSON.parse((await ask(site.url, '/site/')).text).hasStarted, true);
    });

    await t.test('headers as long as the front allows', async () => {
      const { status } = await ask(site.url, '/site/version', { headers: { 'x-long': 'x'.repeat(60_000) } });
      assert.equal(status, 200);
    });

    await t.test('a WebSocket: text, binary, and the close code of the application', async (t) => {
      const socket = await openSiteWebSocket(t, site.url, '/site/talk');
      const bytes = randomBytes(300_000);
      assert.equal(await socket.ask('grüß dich'), 'grüß dich');
      assert.deepEqual(await socket.ask(bytes), bytes);
      socket.send('close');
      assert.equal((await socket.closed())[0], 4000);
    });

    await t.test('on the way out WebSockets get a close frame, and the lifespan ends', async (t) => {
      const socket = await openSiteWebSocket(t, site.url, '/site/talk');
      assert.equal(await socket.ask('version'), 'v1');
      const [[code]] = await Promise.all([socket.closed(), site.stop()]);
      assert.ok(code === 1012 || code === 1005, `${code}`); // granian sends the frame without the code
      assert.match(site.output, /lifespan shutdown/);
    });
  });
}

forEachMode(['single', 'cluster'], (mode, testIn) => {
  testIn('Channels: found by itself, pages and WebSockets', async (t) => {
    const site = await startEasyserve(t, {
      fixture: 'django-channels',
      mode,
      settings: { trustedProxies: ['127.0.0.1'] },
    });
    const { project } = await site.status();
    assert.deepEqual([project.kind, project.server], ['django', 'uvicorn']);

    await t.test('Django knows client and scheme', async () => {
      const facts = JSON.parse((await ask(site.url, '/facts', { headers: behindProxy })).text);
      assert.deepEqual(
        [facts.class, facts.isSecure, facts.url, facts.REMOTE_ADDR, facts.SERVER_PORT],
        ['ASGIRequest', true, 'https://shop.example.org:8443/facts', '203.0.113.9', '8443'],
      );
    });

    await t.test('a consumer', async (t) => {
      const socket = await openSiteWebSocket(t, site.url, '/chat/garden', {
        subprotocols: ['tea'],
        headers: behindProxy,
      });
      assert.equal(socket.subprotocol, 'tea');
      assert.deepEqual(JSON.parse(String(await socket.ask('facts'))), {
        client: ['203.0.113.9', 0],
        scheme: 'wss',
        room: 'garden',
      });
      assert.equal(await socket.ask('hello'), 'hello');
      socket.send('close');
      assert.equal((await socket.closed())[0], 4321);
    });

    await t.test('a route that is not there is refused', async (t) => {
      await assert.rejects(openSiteWebSocket(t, site.url, '/elsewhere'));
    });
  });

  testIn('a lifespan that fails is a refused reload, with what the application says', async (t) => {
    const site = await startEasyserve(t, { fixture: 'asgi-hello', mode });
    appendFileSync(
      join(site.dir, 'app.py'),
      "\nasync def live(receive, send):\n    await receive()\n    raise RuntimeError('no database')\n",
    );
    const { code, stderr } = await site.cli('reload');
    assert.equal(code, 9);
    assert.match(stderr, /The application could not be loaded: RuntimeError: no database/);
    assert.match(stderr, /app\.py", line \d+, in live/);
    assert.doesNotMatch(stderr, /easyserve_\w+\.py/);
    assert.equal((await ask(site.url, '/version')).status, 200);
  });
});

for (const [app, settings, code, message] of [
  [
    'app:application',
    { server: 'gateway' },
    4,
    /'app:application' is ASGI, and the setting server asks for WSGI/,
  ],
  ['app:application', { interface: 'wsgi' }, 4, /easyserve start --set interface=auto/],
  ['app:nothing', {}, 4, /The module 'app' has no 'nothing'/],
  ['app:application', { server: 'uvicorn', interface: 'wsgi' }, 3, /serves ASGI, and interface is "wsgi"/],
] as const) {
  test(`refused at the start: ${app} with ${JSON.stringify(settings)}`, async (t) => {
    const dir = copyFixture('asgi-hello', join(makeTempDir(t), 'site'));
    const args = Object.entries({ app, ...settings }).flatMap(([key, value]) => ['--set', `${key}=${value}`]);
    const { code: exitCode, stderr } = await runEasyserve(['start', '--port', '0', ...args], { cwd: dir });
    assert.equal(exitCode, code, stderr);
    assert.match(stderr, message);
  });
}
