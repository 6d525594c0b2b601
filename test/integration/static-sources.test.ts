import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { addDjangoSettings, plainStaticStorage } from '../support/django-settings.js';
import { forEachMode } from '../support/for-each-mode.js';
import { ask } from '../support/http-client.js';
import { startEasyserve } from '../support/start-easyserve.js';

forEachMode(['single', 'cluster'], (mode, testIn) => {
  testIn('static files without STATIC_ROOT, and prefixes of several levels', async (t) => {
    const site = await startEasyserve(t, {
      fixture: 'django-site',
      mode,
      prepare: (dir) => {
        const lines = ['STATIC_ROOT = None', "STATIC_URL = 'assets/v1/static/'"];
        addDjangoSettings(dir, [...lines, "MEDIA_URL = '/files/of/users/'", plainStaticStorage]);
        mkdirSync(join(dir, 'media'), { recursive: true });
        writeFileSync(join(dir, 'media', 'notes.txt'), 'notes');
      },
    });
    assert.match((await ask(site.url, '/')).text, /href="\/assets\/v1\/static\/journal\/journal\.css"/);
    const css = await ask(site.url, '/assets/v1/static/journal/journal.css');
    assert.equal(css.status, 200);
    assert.equal(css.headers['cache-control'], 'no-cache');
    assert.equal(css.text, readFileSync(join(site.dir, 'journal/static/journal/journal.css'), 'utf8'));
    assert.equal((await ask(site.url, '/assets/v1/static/admin/css/base.css')).status, 200);
    assert.equal((await ask(site.url, '/files/of/users/notes.txt')).text, 'notes');
    assert.ok(!existsSync(join(site.dir, 'static-collected')), 'collectstatic has run');
    for (const path of ['/static/journal/journal.css', '/assets/v1/', '/media/notes.txt', '/files/of/']) {
      const { status, text } = await ask(site.url, path);
      assert.equal(status, 404, path);
      assert.match(text, /Back to the photos/, `${path} is the application's`);
    }
  });

  testIn('collect=never serves STATIC_ROOT as it is', async (t) => {
    const site = await startEasyserve(t, {
      fixture: 'django-site',
      mode,
      args: ['--set', 'collect=never'],
      prepare: (dir) => {
        addDjangoSettings(dir, [plainStaticStorage]);
        mkdirSync(join(dir, 'static-collected'));
        writeFileSync(join(dir, 'static-collected', 'by-hand.css'), 'body {}');
      },
    });
    assert.equal((await ask(site.url, '/static/by-hand.css')).text, 'body {}');
    assert.equal((await ask(site.url, '/static/journal/journal.css')).status, 404);
  });

  // Whoever serves them instead also collects them; so does this test without hashed names.
  testIn('SERVE_STATIC = False leaves static and media to the application', async (t) => {
    const site = await startEasyserve(t, {
      fixture: 'django-site',
      mode,
      prepare: (dir) => {
        writeFileSync(join(dir, 'media', 'notes.txt'), 'notes');
        addDjangoSettings(dir, ["EASYSERVER = {'SERVE_STATIC': False}", plainStaticStorage]);
      },
    });
    for (const path of ['/static/journal/journal.css', '/media/notes.txt']) {
      const { status, text } = await ask(site.url, path);
      assert.equal(status, 404, path);
      assert.match(text, /Back to the photos/, `${path} is the application's`);
    }
  });

  testIn('URLs of a CDN are left alone', async (t) => {
    const site = await startEasyserve(t, {
      fixture: 'django-site',
      mode,
      prepare: (dir) => {
        const urls = [
          "STATIC_URL = 'https://cdn.example.org/static/'",
          "MEDIA_URL = '//media.example.org/m/'",
        ];
        addDjangoSettings(dir, urls);
      },
    });
    const { text } = await ask(site.url, '/');
    assert.match(text, /href="https:\/\/cdn\.example\.org\/static\/journal\/journal\.[0-9a-f]{12}\.css"/);
    assert.match(text, /src="\/\/media\.example\.org\/m\/photos\//);
    for (const path of ['/static/journal/journal.css', '/m/photos/', '/media/']) {
      assert.match((await ask(site.url, path)).text, /Back to the photos/, `${path} is the application's`);
    }
  });
});
