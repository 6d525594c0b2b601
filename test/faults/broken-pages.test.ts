import assert from 'node:assert/strict';
import { appendFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { replaceFile } from '../support/broken-release.js';
import { copyFixture, makeTempDir } from '../support/copy-fixture.js';
import type { Easyserve } from '../support/easyserve.js';
import { forEachMode, integrationTimeoutMs, type Mode } from '../support/for-each-mode.js';
import { ask } from '../support/http-client.js';
import { repositoryRoot } from '../support/repository.js';
import { runEasyserve } from '../support/run-easyserve.js';
import { startEasyserve } from '../support/start-easyserve.js';

/** What stands between a plain `GET /` and the URLconf, as settings of Django. */
const walls: Readonly<Record<string, string>> = {
  'nothing in front': '',
  SECURE_SSL_REDIRECT: `
MIDDLEWARE = ['django.middleware.security.SecurityMiddleware']
SECURE_SSL_REDIRECT = True`,
  'SECURE_SSL_REDIRECT with a header of its own': `
MIDDLEWARE = ['django.middleware.security.SecurityMiddleware']
SECURE_SSL_REDIRECT = True
SECURE_PROXY_SSL_HEADER = ('HTTP_X_MY_SCHEME', 'secure')`,
  PREPEND_WWW: `
MIDDLEWARE = ['django.middleware.common.CommonMiddleware']
PREPEND_WWW = True`,
  'a page for logging in': "MIDDLEWARE = ['minimal.walls.require_login']",
};

/** These let nothing through at all, whoever asks. */
const closedWalls: Readonly<Record<string, string>> = {
  'a middleware that answers 401': "MIDDLEWARE = ['minimal.walls.answer_401']",
  'a middleware that answers 404': "MIDDLEWARE = ['minimal.walls.answer_404']",
};

const wallsModule = `
from django.http import HttpResponse, HttpResponseRedirect

def answer_401(get_response):
    return lambda request: HttpResponse(status=401)

def answer_404(get_response):
    return lambda request: HttpResponse(status=404)

def require_login(get_response):
    def middleware(request):
        if request.path_info == '/login/':
            return get_response(request)
        return HttpResponseRedirect(request.path[:-len(request.path_info)] + '/login/')
    return middleware
`;

const urls = `
from django.http import HttpResponse
from django.urls import include, path

def page(request):
    return HttpResponse('a page')

urlpatterns = [path('', page), path('login/', page), path('shop/', include('minimal.shop_urls'))]
`;
const shopUrls = 'from django.urls import path\n\nurlpatterns = []\n';

/** What is wrong with a release, and what the traceback says of it. */
const brokenUrls: readonly (readonly [what: string, file: string, text: string, says: RegExp])[] = [
  [
    'a syntax error in an included urls.py',
    'shop_urls.py',
    `${shopUrls}def half_finished(request:\n`,
    /SyntaxError[\s\S]+shop_urls\.py", line \d+/,
  ],
  [
    'an include far below',
    'shop_urls.py',
    "from django.urls import include, path\n\nurlpatterns = [path('a/', include([path('b/', include('gone'))]))]\n",
    /No module named 'gone'/,
  ],
  ['a handler500 that is missing', 'urls.py', `${urls}handler500 = 'gone.page'\n`, /No module named 'gone'/],
  [
    'a handler404 without a view',
    'urls.py',
    `${urls}handler404 = 'minimal.urls.gone'\n`,
    /gone[\s\S]+minimal\.urls/,
  ],
  [
    'a pattern that is no regular expression',
    'urls.py',
    `${urls}from django.urls import re_path\nurlpatterns.append(re_path(r'^(', page))\n`,
    /is not a valid regular expression/,
  ],
];

/** Which wall it is makes no difference to the mode: in the second one a few are enough. */
function sample(all: typeof walls, mode: Mode): [name: string, wall: string][] {
  return Object.entries(all).slice(0, mode === 'cluster' ? 2 : undefined);
}

function writeSite(dir: string): void {
  for (const [file, text] of Object.entries({
    'walls.py': wallsModule,
    'wall.py': '',
    'urls.py': urls,
    'shop_urls.py': shopUrls,
  }))
    writeFileSync(join(dir, 'minimal', file), text);
  appendFileSync(join(dir, 'minimal/settings.py'), "\nALLOWED_HOSTS = ['*']\nfrom .wall import *\n");
}

function startDjango(
  t: TestContext,
  mode: Mode,
  settings: Readonly<Record<string, unknown>> = {},
): Promise<Easyserve> {
  return startEasyserve(t, {
    fixture: 'django-minimal',
    mode,
    settings: { watch: false, ...settings },
    prepare: writeSite,
  });
}

function write({ dir }: Easyserve, file: string, text: string): void {
  replaceFile(join(dir, 'minimal', file), text);
}

async function expectRefusal(easyserve: Easyserve, code: string, says: RegExp): Promise<void> {
  const { generation } = await easyserve.status();
  const reload = await easyserve.cli('reload');
  assert.equal(reload.code, 9, reload.stdout);
  assert.match(reload.stderr, says);
  const status = await easyserve.status();
  assert.deepEqual([status.generation, status.lastReloadError?.code], [generation, code]);
}

async function expectReload(easyserve: Easyserve): Promise<void> {
  const { code, stderr } = await easyserve.cli('reload');
  assert.equal(code, 0, stderr);
}

// The probe of `/` may never reach the URLconf: then a release of which every page fails would be let in.
forEachMode(['single', 'cluster'], (mode, testIn) => {
  testIn('a URLconf that cannot be imported refuses a reload, whatever stands before it', async (t) => {
    const easyserve = await startDjango(t, mode);
    const [[, file, text, says] = assert.fail()] = brokenUrls;
    for (const [name, wall] of sample({ ...closedWalls, ...walls }, mode)) {
      await t.test(name, async () => {
        write(easyserve, 'wall.py', wall);
        write(easyserve, file, text);
        await expectRefusal(easyserve, 'app-exited', says);
        write(easyserve, file, shopUrls);
        await expectReload(easyserve);
      });
    }
  });

  testIn('a page that only fails behind its redirects refuses a reload', async (t) => {
    const easyserve = await startDjango(t, mode);
    for (const [name, wall] of sample(walls, mode)) {
      await t.test(name, async () => {
        write(easyserve, 'wall.py', wall);
        await expectReload(easyserve);
        write(easyserve, 'urls.py', urls.replace("return HttpResponse('a page')", 'raise LookupError()'));
        await expectRefusal(easyserve, 'probe-failed', /answers \/ with status 500/);
        write(easyserve, 'urls.py', urls);
      });
    }
  });
});

for (const server of ['gateway', 'cheroot', 'uvicorn']) {
  test(`${server}, below a prefix: whatever is wrong with the URLs refuses a reload`, {
    timeout: integrationTimeoutMs,
  }, async (t) => {
    const easyserve = await startDjango(t, 'single', { server, scriptName: '/site' });
    assert.equal((await ask(easyserve.url, '/site/')).status, 200);
    for (const [what, file, text, says] of brokenUrls) {
      await t.test(what, async () => {
        write(easyserve, file, text);
        await expectRefusal(easyserve, 'app-exited', says);
        write(easyserve, file, file === 'urls.py' ? urls : shopUrls);
      });
    }
    await expectReload(easyserve);
  });
}

test('the first start ends with the traceback of a URLconf that cannot be imported', {
  timeout: integrationTimeoutMs,
}, async (t) => {
  const dir = copyFixture('django-minimal', join(makeTempDir(t), 'site'));
  writeSite(dir);
  writeFileSync(join(dir, 'minimal/shop_urls.py'), 'def half_finished(request:\n');
  const { code, stderr } = await runEasyserve(['start', dir, '--port', '0'], { cwd: dir });
  assert.equal(code, 5, stderr);
  assert.match(stderr, /SyntaxError/);
  assert.match(stderr, /shop_urls\.py", line 1/);
});

/** Applications without Django: the file, and how its page is broken. */
const applications: Readonly<Record<string, readonly [file: string, good: string, broken: string]>> = {
  flask: [
    'app.py',
    "from flask import Flask\napp = Flask(__name__)\n\n@app.get('/')\ndef page():\n    return 'a page'\n",
    "from flask import Flask\napp = Flask(__name__)\n\n@app.get('/')\ndef page():\n    raise LookupError\n",
  ],
  asgi: [
    'asgi.py',
    "async def app(scope, receive, send):\n    await send({'type': 'http.response.start', 'status': 200})\n    await send({'type': 'http.response.body'})\n",
    'async def app(scope, receive, send):\n    raise LookupError(scope)\n',
  ],
  fastapi: [
    'main.py',
    "from fastapi import FastAPI\napp = FastAPI()\n\n@app.get('/')\ndef page():\n    return 'a page'\n",
    "from fastapi import FastAPI\napp = FastAPI()\n\n@app.get('/')\ndef page():\n    raise LookupError\n",
  ],
  // It sends visitors to https by itself, as behind a proxy.
  express: [
    'server.cjs',
    "const app = require('express')();\napp.set('trust proxy', true);\napp.use((request, response, next) => request.secure ? next() : response.redirect('https://' + request.hostname + request.url));\napp.get('/', (request, response) => response.send('a page'));\napp.listen(3000);\n",
    "const app = require('express')();\napp.set('trust proxy', true);\napp.use((request, response, next) => request.secure ? next() : response.redirect('https://' + request.hostname + request.url));\napp.get('/', () => { throw new Error('broken'); });\napp.listen(3000);\n",
  ],
};

for (const [name, [file, good, broken]] of Object.entries(applications)) {
  const start = (t: TestContext, text: string): Promise<Easyserve> => {
    const dir = makeTempDir(t);
    symlinkSync(join(repositoryRoot, 'node_modules'), join(dir, 'node_modules'));
    writeFileSync(join(dir, file), text);
    const settings = file.endsWith('.cjs') ? ['--set', `app=${file}`] : [];
    return startEasyserve(t, { dir, mode: 'single', args: settings });
  };

  test(`${name}: a page that worked and works no more refuses a reload`, {
    timeout: integrationTimeoutMs,
  }, async (t) => {
    const easyserve = await start(t, good);
    writeFileSync(join(easyserve.dir, file), broken);
    await expectRefusal(easyserve, 'probe-failed', /answers \/ with status 500/);
  });

  test(`${name}: a page that fails at the start is reported, and refuses no later release for it`, {
    timeout: integrationTimeoutMs,
  }, async (t) => {
    const easyserve = await start(t, broken);
    const warning = easyserve.records.find(({ event }) => event === 'probe-failed');
    assert.match(String(warning?.msg), /answers \/ with status 500\.$/);
    await expectReload(easyserve);
    const again = await easyserve.waitFor('probe-failed', ({ msg }) => msg !== warning?.msg);
    assert.match(String(again.msg), /So does the release that served until now\.$/);
    writeFileSync(join(easyserve.dir, file), good);
    await expectReload(easyserve);
    writeFileSync(join(easyserve.dir, file), broken);
    await expectRefusal(easyserve, 'probe-failed', /answers \/ with status 500/);
  });
}
