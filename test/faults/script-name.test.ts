import assert from 'node:assert/strict';
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Easyserve } from '../support/easyserve.js';
import { forEachMode, integrationTimeoutMs, type Mode } from '../support/for-each-mode.js';
import { ask } from '../support/http-client.js';
import { rawConnection } from '../support/raw-connection.js';
import { startEasyserve } from '../support/start-easyserve.js';

const urls = `
from django.conf import settings
from django.http import HttpRequest, JsonResponse
from django.templatetags.static import static
from django.urls import path, reverse

EARLY = static('early.css')

def page(request, rest=''):
    with open('seen.txt', 'a') as seen:
        seen.write(request.path + '\\n')
    return JsonResponse({
        'early': EARLY, 'static': static('late.css'), 'media': settings.MEDIA_URL,
        'reversed': reverse('page'), 'prefix': request.META.get('SCRIPT_NAME', ''),
    })

urlpatterns = [path('', page, name='page'), path('<path:rest>', page)]
`;

/** The first look at the setting comes from a thread of the application, which knows no prefix. */
const earlyThread = `
import threading
from django.conf import settings
early = threading.Thread(target=lambda: (settings.STATIC_URL, settings.MEDIA_URL))
early.start()
early.join()
`;

function startMounted(t: TestContext, mode: Mode, server: string): Promise<Easyserve> {
  return startEasyserve(t, {
    fixture: 'django-minimal',
    mode,
    settings: { server, scriptName: '/shop' },
    prepare: (dir) => {
      writeFileSync(join(dir, 'minimal/urls.py'), urls);
      appendFileSync(
        join(dir, 'minimal/settings.py'),
        "\nSTATIC_URL = 'static/'\nMEDIA_URL = 'media/'\nALLOWED_HOSTS = ['*']\n",
      );
      for (const file of ['minimal/wsgi.py', 'minimal/asgi.py']) {
        const text = readFileSync(join(dir, file), 'utf8');
        writeFileSync(
          join(dir, file),
          text.replace('application =', 'import django\ndjango.setup()\napplication ='),
        );
        appendFileSync(join(dir, file), earlyThread);
      }
    },
  });
}

const whole = {
  early: '/shop/static/early.css',
  static: '/shop/static/late.css',
  media: '/shop/media/',
  reversed: '/shop/',
  prefix: '/shop',
};

async function expectMounted(easyserve: Easyserve, server: string): Promise<void> {
  const { text } = await ask(easyserve.url, '/shop/');
  // ASGI's scope has no SCRIPT_NAME; Django makes one of root_path.
  assert.deepEqual(JSON.parse(text), whole, server);
}

function seenBy({ dir }: Easyserve): string[] {
  const path = join(dir, 'seen.txt');
  return existsSync(path) ? readFileSync(path, 'utf8').trim().split('\n') : [];
}

forEachMode(['single', 'cluster'], (mode, testIn) => {
  testIn('the first request of a process, and every URL of Django, has the prefix', async (t) => {
    const easyserve = await startMounted(t, mode, 'gateway');
    assert.deepEqual(new Set(seenBy(easyserve)), new Set(['/shop/'])); // the probes
    await expectMounted(easyserve, 'gateway');
    const { code, stderr } = await easyserve.cli('reload');
    assert.equal(code, 0, stderr);
    await expectMounted(easyserve, 'gateway');
    assert.deepEqual(new Set(seenBy(easyserve)), new Set(['/shop/']));
  });

  testIn('what lies outside of the prefix never reaches the application', async (t) => {
    const easyserve = await startMounted(t, mode, 'gateway');
    for (const path of ['/', '/shopping', '/admin/', '/shop/../admin/', '/shop/%2e%2e/admin/', '//shop/']) {
      const connection = await rawConnection(t, easyserve.url);
      connection.send(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
      assert.match(await connection.readToEnd(), /^HTTP\/1\.1 404 /, path);
    }
    const upload = await ask(easyserve.url, '/elsewhere', { method: 'POST', body: 'x'.repeat(200_000) });
    assert.equal(upload.status, 404);
    assert.equal((await ask(easyserve.url, '/shop/inside')).status, 200);
    assert.deepEqual(new Set(seenBy(easyserve)), new Set(['/shop/', '/shop/inside']));
  });
});

for (const server of ['cheroot', 'uvicorn', 'hypercorn', 'daphne']) {
  test(`${server}: the first request of a process, and every URL of Django, has the prefix`, {
    timeout: integrationTimeoutMs,
  }, async (t) => {
    const easyserve = await startMounted(t, 'single', server);
    assert.deepEqual(seenBy(easyserve), ['/shop/']);
    await expectMounted(easyserve, server);
    assert.equal((await ask(easyserve.url, '/')).status, 404);
    assert.deepEqual(new Set(seenBy(easyserve)), new Set(['/shop/']));
  });
}
