import assert from 'node:assert/strict';
import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { makePythonEnvironment } from '../support/bare-python.js';
import { copyFixture, makeTempDir } from '../support/copy-fixture.js';
import { forEachMode } from '../support/for-each-mode.js';
import { ask } from '../support/http-client.js';
import { rawConnection } from '../support/raw-connection.js';
import { runEasyserve } from '../support/run-easyserve.js';
import { startEasyserve } from '../support/start-easyserve.js';

const behindProxy = {
  host: 'shop.example.org',
  'x-forwarded-for': '203.0.113.9',
  'x-forwarded-proto': 'https',
  'x-forwarded-host': 'shop.example.org',
};

/** Django's CHEROOT; without Channels among the INSTALLED_APPS, which would choose ASGI. */
function configure(dir: string, cheroot: string): void {
  appendFileSync(
    join(dir, 'chat/settings.py'),
    `\nINSTALLED_APPS = []\nASGI_APPLICATION = None\nCHEROOT = ${cheroot}\n`,
  );
}

forEachMode(['single', 'cluster'], (mode, testIn) => {
  testIn("Django's CHEROOT: the server, its threads and its name", async (t) => {
    const site = await startEasyserve(t, {
      fixture: 'django-channels',
      mode,
      settings: { trustedProxies: ['127.0.0.1'], scriptName: '/shop' },
      prepare: (dir) => configure(dir, "{'numthreads': 3, 'server_name': 'our-name', 'timeout': 30}"),
    });

    await t.test('status says so', async () => {
      const { project } = await site.status();
      assert.deepEqual([project.kind, project.server], ['django', 'cheroot']);
      assert.deepEqual(new Set((await site.apps()).map(({ threads }) => threads)), new Set([3]));
    });

    await t.test('Django knows the client, the scheme and the prefix', async () => {
      const { headers, text } = await ask(site.url, '/shop/facts?x=1', { headers: behindProxy });
      assert.equal(headers.server, 'our-name');
      assert.deepEqual(JSON.parse(text), {
        class: 'WSGIRequest',
        isSecure: true,
        url: 'https://shop.example.org/shop/facts?x=1',
        path: '/shop/facts',
        pathInfo: '/facts',
        multiprocess: mode === 'cluster',
        inputTerminated: true,
        REMOTE_ADDR: '203.0.113.9',
        REMOTE_PORT: '0',
        REMOTE_USER: '',
        SERVER_NAME: 'shop.example.org',
        SERVER_PORT: '443',
        HTTP_X_REQUEST_ID: headers['x-request-id'],
        HTTP_HOST: 'shop.example.org',
        HTTP_X_FORWARDED_FOR: '203.0.113.9',
        HTTP_X_FORWARDED_HOST: 'shop.example.org',
      });
    });

    await t.test('a wrong keyword is refused by a reload, and the old release goes on', async () => {
      site.writeFile('easyserve.json', JSON.stringify({ cheroot: { numthread: 3 }, scriptName: '/shop' }));
      const { code, stderr } = await site.cli('reload');
      assert.equal(code, 9, stderr);
      assert.match(stderr, /Cheroot\/\S+ has no keyword "numthread"/);
      assert.match(stderr, /did you mean numthreads\?/);
      assert.equal((await ask(site.url, '/shop/facts')).status, 200);
    });
  });

  testIn('a view that ends its thread by sys.exit costs no more than its process', async (t) => {
    const site = await startEasyserve(t, {
      fixture: 'wsgi-hello',
      mode,
      settings: { server: 'cheroot' },
      // Of a socket activation that is not Cheroot's: it would take descriptor 3 for a listening socket.
      env: { LISTEN_PID: '1', LISTEN_FDS: '1' },
      prepare: (dir) =>
        appendFileSync(
          join(dir, 'app.py'),
          "\ninner = application\ndef application(environ, start_response):\n    if environ['PATH_INFO'] == '/exit': raise SystemExit(5)\n    return inner(environ, start_response)\n",
        ),
    });
    const connection = await rawConnection(t, site.url);
    connection.send('POST /exit HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n');
    await site.waitFor('app-crashed');
    assert.equal((await ask(site.url, '/version')).status, 200);
  });
});

test('Cheroot that is not installed: the error names the interpreter, and how to install it', async (t) => {
  const dir = copyFixture('wsgi-hello', join(makeTempDir(t), 'site'));
  makePythonEnvironment(join(dir, '.venv'));
  const { code, stderr } = await runEasyserve(['start', '--port', '0', '--set', 'server=cheroot'], {
    cwd: dir,
    env: { VIRTUAL_ENV: undefined },
  });
  assert.equal(code, 4, stderr);
  assert.match(stderr, /The server cheroot is not installed\. The interpreter is .*\.venv\/bin\/python/);
  assert.match(stderr, /\.venv\/bin\/python -m pip install cheroot/);
});

for (const [cheroot, message] of [
  [{ numthread: 3 }, /has no keyword "numthread"/],
  [{ server_name: ['x'] }, /server_name must be a text or None, not \["x"\]/],
  [{ bind_addr: '0.0.0.0' }, /bind_addr cannot be set/],
] as const) {
  test(`easyserve check finds cheroot = ${JSON.stringify(cheroot)}`, async (t) => {
    const dir = copyFixture('wsgi-hello', join(makeTempDir(t), 'site'));
    writeFileSync(join(dir, 'easyserve.json'), JSON.stringify({ cheroot }));
    const { code, stdout } = await runEasyserve(['check', '--port', '0'], { cwd: dir });
    assert.equal(code, 3, stdout);
    assert.match(stdout, message);
  });
}
