import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { forEachMode } from '../support/for-each-mode.js';
import { ask } from '../support/http-client.js';
import { startEasyserve } from '../support/start-easyserve.js';

const urls = `from django.conf import settings
from django.http import HttpResponse
from django.urls import path

urlpatterns = [path('', lambda request: HttpResponse(settings.SETTINGS_MODULE))]
`;

/** manage.py and Celery name the settings for development, wsgi.py those for production. */
function splitSettings(dir: string): void {
  const write = (name: string, text: string): void => writeFileSync(join(dir, name), text);
  write('minimal/names.py', urls);
  write('minimal/production.py', "from minimal.settings import *\nROOT_URLCONF = 'minimal.names'\n");
  write(
    'minimal/__init__.py',
    "import os\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'minimal.settings')\n",
  );
  const wsgi = readFileSync(join(dir, 'minimal/wsgi.py'), 'utf8');
  write('minimal/wsgi.py', wsgi.replace('minimal.settings', 'minimal.production'));
}

forEachMode(['single', 'cluster'], (mode, testIn) => {
  testIn('visitors get the settings that wsgi.py names, at the start and after a reload', async (t) => {
    const site = await startEasyserve(t, { fixture: 'django-minimal', mode, prepare: splitSettings });
    assert.equal((await ask(site.url, '/')).body.toString(), 'minimal.production');
    const warnings = site.records.filter(({ event }) => event === 'project-warning');
    assert.match(
      String(warnings[0]?.msg),
      /The settings are minimal\.production, as minimal\/wsgi\.py names them/,
    );
    assert.equal((await site.cli('reload')).code, 0);
    assert.equal((await ask(site.url, '/')).body.toString(), 'minimal.production');
  });
});
