import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, statSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { TestContext } from 'node:test';
import { copyFixture, makeTempDir } from '../support/copy-fixture.js';
import { eventually } from '../support/eventually.js';
import { forEachMode } from '../support/for-each-mode.js';
import { runEasyserve } from '../support/run-easyserve.js';

/** What a proxy on the same machine asks through the socket. */
async function ask(socketPath: string, headers: Readonly<Record<string, string>> = {}): Promise<string> {
  const sent = request({ socketPath, path: '/environ', headers: { Host: 'shop.example', ...headers } });
  sent.end();
  const [response] = await once(sent, 'response', { signal: AbortSignal.timeout(30_000) });
  return `${response.statusCode} ${await text(response)}`;
}

/** Stopped before the folder is removed: hooks run in their order. */
function makeSite(t: TestContext): string {
  let dir: string | undefined;
  t.after(async () => {
    if (dir !== undefined) await runEasyserve(['stop'], { cwd: dir });
  });
  dir = copyFixture('wsgi-hello', join(makeTempDir(t), 'site'));
  return dir;
}

const app = `
def application(environ, start_response):
    start_response('200 OK', [('Content-Type', 'text/plain')])
    names = ('REMOTE_ADDR', 'wsgi.url_scheme', 'HTTP_HOST')
    return [' '.join(environ.get(name, '-') for name in names).encode()]
`;

forEachMode(['single', 'cluster'], (mode, testIn) => {
  testIn('a site on a Unix socket, from its start over reload and restart to its stop', async (t) => {
    const dir = makeSite(t);
    writeFileSync(join(dir, 'app.py'), app);
    const path = join(dir, 'site.sock');
    const group = process.getgid?.() ?? 0;
    const settings = {
      host: `unix:${path}`,
      socketMode: '0660',
      socketGroup: String(group),
      processes: mode === 'single' ? 1 : 2,
    };
    writeFileSync(join(dir, 'easyserve.json'), JSON.stringify(settings));
    const type = async (...args: readonly string[]) => {
      const result = await runEasyserve(args, { cwd: dir });
      assert.equal(result.code, 0, `${args.join(' ')}: ${result.stderr}`);
      return result.stdout;
    };
    await type('check');

    assert.match(await type('start', '--daemon'), new RegExp(`url +unix:${path}$`, 'm'));
    assert.match(await type('status'), new RegExp(`unix:${path}`));
    assert.equal(statSync(path).mode & 0o777, 0o660);
    assert.equal(statSync(path).gid, group);
    assert.equal(await ask(path), '200 127.0.0.1 http shop.example');
    const proxied = {
      'X-Forwarded-For': '192.0.2.7',
      'X-Forwarded-Proto': 'https',
      'X-Forwarded-Host': 'evil.example',
    };
    // Several connections at a time, each with its own client.
    const answers = await Promise.all([ask(path, proxied), ask(path), ask(path, proxied)]);
    assert.deepEqual(answers, [
      '200 192.0.2.7 https shop.example',
      '200 127.0.0.1 http shop.example',
      answers[0],
    ]);

    const other = copyFixture('wsgi-hello', join(makeTempDir(t), 'other'));
    const second = await runEasyserve(['start', '--host', `unix:${path}`], { cwd: other });
    assert.equal(second.code, 6, second.stdout);
    assert.match(second.stderr, new RegExp(`Another process listens on the socket ${path}`));

    for (const verb of ['reload', 'restart', 'reload']) {
      await type(verb);
      assert.match(await ask(path), /^200 /, verb);
    }
    writeFileSync(join(dir, 'easyserve.json'), JSON.stringify({ ...settings, watch: false }));
    await type('reload');
    writeFileSync(
      join(dir, 'easyserve.json'),
      JSON.stringify({ ...settings, watch: false, socketMode: '0600' }),
    );
    writeFileSync(join(dir, 'app.py'), 'def application(environ, start_response):\n    raise LookupError\n');
    assert.notEqual((await runEasyserve(['restart'], { cwd: dir })).code, 0);
    assert.equal(statSync(path).mode & 0o777, 0o660, 'a restart that is refused changes nothing');
    writeFileSync(join(dir, 'app.py'), app);
    await type('restart');
    assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.match(await ask(path), /^200 /);
    await type('stop');
    assert.equal(existsSync(path), false);
  });

  testIn(
    'a stale socket is replaced, reload and restart move the site to another one and to a port, and SIGTERM removes it',
    async (t) => {
      const dir = makeSite(t);
      writeFileSync(join(dir, 'app.py'), app);
      const [first, second] = [join(dir, 'a.sock'), join(dir, 'b.sock')];
      const writeSettings = (address: object) =>
        writeFileSync(
          join(dir, 'easyserve.json'),
          JSON.stringify({ ...address, watch: false, processes: mode === 'single' ? 1 : 2 }),
        );
      const write = (path: string) => writeSettings({ host: `unix:${path}` });
      const type = async (verb: string) => {
        const { code, stderr } = await runEasyserve([verb], { cwd: dir });
        assert.equal(code, 0, `${verb}: ${stderr}`);
      };
      write(first);
      const start = () => runEasyserve(['start', '--daemon'], { cwd: dir });
      const started = await start();
      assert.equal(started.code, 0, started.stderr);
      const pid = (output: string) => Number(/process +(\d+)/.exec(output)?.[1]);
      process.kill(pid(started.stdout), 'SIGKILL');
      await eventually(() => assert.rejects(ask(first), /ECONNREFUSED/));
      assert.ok(existsSync(first));
      const again = await start();
      assert.equal(again.code, 0, again.stderr);
      assert.match(await ask(first), /^200 /);
      write(second);
      await type('reload');
      assert.match(await ask(second), /^200 /);
      assert.equal(existsSync(first), false);
      write(first);
      await type('restart');
      assert.match(await ask(first), /^200 /);
      assert.equal(existsSync(second), false);
      writeSettings({ host: '127.0.0.1', port: 0 });
      await type('reload');
      assert.equal(existsSync(first), false);
      write(second);
      await type('restart');
      assert.match(await ask(second), /^200 /);
      process.kill(pid(again.stdout), 'SIGTERM');
      await eventually(() => assert.equal(existsSync(second), false), { timeoutMs: 30_000 });
    },
  );
});
