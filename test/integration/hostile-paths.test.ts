import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { addDjangoSettings } from '../support/django-settings.js';
import type { Easyserve } from '../support/easyserve.js';
import { forEachMode } from '../support/for-each-mode.js';
import { ask } from '../support/http-client.js';
import { rawConnection } from '../support/raw-connection.js';
import { startEasyserve } from '../support/start-easyserve.js';

/** In every file that must not get out: those of the project, and those that hide inside the roots. */
const secret = 'TOP-SECRET';
const roots = ['static-collected', 'media', 'well-known'];

/** Ways out of a root, or into what is hidden in it; behind each prefix. */
const below = [
  '../secret.txt',
  '../../secret.txt',
  './../secret.txt',
  'folder/../../secret.txt',
  'folder/../../../../../../../../../../etc/passwd',
  '%2e%2e/secret.txt',
  '%2E%2E/secret.txt',
  '.%2e/secret.txt',
  '%2e%2e%2fsecret.txt',
  '..%2fsecret.txt',
  '..%2Fsecret.txt',
  'folder/%2e%2e/%2e%2e/secret.txt',
  'folder%2f..%2f..%2fsecret.txt',
  '..\\secret.txt',
  '..%5csecret.txt',
  '%2e%2e%5csecret.txt',
  'folder\\..\\..\\secret.txt',
  '%252e%252e/secret.txt',
  '%252e%252e%252fsecret.txt',
  '..%252fsecret.txt',
  '..;/secret.txt',
  '..;x=y/secret.txt',
  '..%3b/secret.txt',
  '....//secret.txt',
  '.../secret.txt',
  '..%c0%afsecret.txt',
  '%c0%ae%c0%ae/secret.txt',
  '%ff',
  '%c3%28',
  '%ed%a0%80',
  '%u002e%u002e/secret.txt',
  '%',
  '%zz',
  '%2',
  '%00',
  'file.txt%00',
  'file.txt%00.png',
  '..%00/secret.txt',
  '..%0d%0asecret.txt',
  '/secret.txt',
  '//etc/passwd',
  '%2fetc%2fpasswd',
  'file:///etc/passwd',
  'C:/secret.txt',
  '~/secret.txt',
  'leak/secret.txt',
  'leak/',
  'leak',
  'leak.txt',
  'dangling.txt',
  'folder/loop.txt',
  'folder/loop.txt/secret.txt',
  '.env',
  '.git/config',
  '%2eenv',
  'folder/.env',
  'file.txt/',
  'file.txt/.',
  'file.txt/../../secret.txt',
  'file.txt/secret.txt',
  'folder',
  'folder/',
  'folder/.',
  `${'a'.repeat(300)}`,
  `${'a/'.repeat(3000)}`,
  `${'../'.repeat(2000)}etc/passwd`,
];

function prepare(dir: string): void {
  writeFileSync(join(dir, 'secret.txt'), secret);
  for (const root of roots) {
    mkdirSync(join(dir, root, 'folder'), { recursive: true });
    mkdirSync(join(dir, root, '.git'));
    for (const name of ['.env', '.git/config', 'folder/.env']) writeFileSync(join(dir, root, name), secret);
    writeFileSync(join(dir, root, 'file.txt'), 'public');
    symlinkSync('..', join(dir, root, 'leak'));
    symlinkSync('../secret.txt', join(dir, root, 'leak.txt'));
    symlinkSync('nowhere', join(dir, root, 'dangling.txt'));
    // Below the root: Django's collectstatic fails on one in STATIC_ROOT itself.
    symlinkSync('loop.txt', join(dir, root, 'folder', 'loop.txt'));
  }
  addDjangoSettings(dir, ["EASYSERVER = {'WELL_KOWN_ROOT': str(BASE_DIR / 'well-known')}"]);
}

/** Sends the target as it is. The whole answer, with its head. */
async function send(t: TestContext, site: Easyserve, target: string): Promise<string> {
  const connection = await rawConnection(t, site.url);
  connection.send(`GET ${target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
  return connection.readToEnd();
}

function expectNothing(target: string, answer: string): void {
  const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(answer)?.[1]);
  assert.ok(status === 400 || status === 404, `${target} was answered with ${answer.slice(0, 200)}`);
  assert.ok(!answer.includes(secret) && !answer.includes('root:'), `${target} gave a file away`);
}

forEachMode(['single', 'cluster'], (mode, testIn) => {
  testIn('no path leads out of static, media and .well-known', async (t) => {
    const site = await startEasyserve(t, { fixture: 'django-site', mode, prepare });
    for (const prefix of ['/static/', '/media/', '/.well-known/']) {
      await t.test(prefix, async (t) => {
        assert.equal((await ask(site.url, `${prefix}file.txt`)).text, 'public');
        for (const path of below) expectNothing(prefix + path, await send(t, site, prefix + path));
      });
    }

    await t.test('targets of other forms (RFC 9112 section 3.2)', async (t) => {
      const targets = [
        'http://localhost/static/../secret.txt',
        'http://localhost/media/%2e%2e/secret.txt',
        'http://localhost/media/..%2fsecret.txt',
        'file:///etc/passwd',
        'secret.txt',
        '..',
        '../secret.txt',
        '*',
        '?/../secret.txt',
        '//localhost/../secret.txt',
        '/secret.txt',
        '/../secret.txt',
        '/media%2f..%2fsecret.txt',
        '/media/..',
        '/media\\..\\secret.txt',
        '/static/../media/../secret.txt',
      ];
      for (const target of targets) expectNothing(target, await send(t, site, target));
      const wanted = await send(t, site, 'http://localhost/media/file.txt');
      assert.match(wanted, /^HTTP\/1\.1 200 OK\r\n[\s\S]*\r\n\r\npublic$/);
    });

    await t.test('what was refused was no trouble', async () => {
      const warnings = site.records.filter(({ level }) => level === 'error');
      assert.deepEqual(warnings, []);
      assert.equal((await ask(site.url, '/')).status, 200);
    });
  });
});
