import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { DjangoFacts } from '../../../src/contracts/project-facts.js';
import { testPython } from '../../support/python-env.js';
import { detectDjango, djangoFiles, makeProject } from './project-files.js';

const [major = 0, minor = 0] = execFileSync(testPython(), ['-m', 'django', '--version'], { encoding: 'utf8' })
  .split('.')
  .map(Number);
const hasStorages = major > 4 || (major === 4 && minor >= 2);

const manifestStorage = 'django.contrib.staticfiles.storage.ManifestStaticFilesStorage';
/** In the words of the Django that is installed: STORAGES came with 4.2, STATICFILES_STORAGE went with 5.1. */
const storageSetting = (backend: string) =>
  hasStorages
    ? `STORAGES = {'default': {'BACKEND': 'django.core.files.storage.FileSystemStorage'}, 'staticfiles': {'BACKEND': '${backend}'}}`
    : `STATICFILES_STORAGE = '${backend}'`;

async function factsOf(
  t: TestContext,
  settings: string,
  more: { files?: Readonly<Record<string, string>>; scriptName?: string } = {},
): Promise<{ root: string; facts: DjangoFacts; warnings: readonly string[] }> {
  const root = makeProject(t, djangoFiles(settings, more.files));
  const { django, warnings } = await detectDjango(root, { settings: { scriptName: more.scriptName ?? '' } });
  return { root, facts: django, warnings };
}

for (const [url, prefix, scriptName] of [
  ["'/static/'", '/static/', ''],
  ["'/a/b/c/d/'", '/a/b/c/d/', ''],
  ["'static/'", '/static/', ''],
  ["'deep/static/'", '/deep/static/', ''],
  ["'static/'", '/shop/static/', '/shop'],
  ["'/static/'", '/static/', '/shop'],
  ["'https://cdn.example.com/static/'", undefined, ''],
  ["'//cdn.example.com/static/'", undefined, ''],
  ['None', undefined, ''],
] as const) {
  test(`STATIC_URL = ${url}${scriptName && ` under ${scriptName}`} is served at ${prefix}`, async (t) => {
    const { facts, warnings } = await factsOf(t, `STATIC_URL = ${url}`, { scriptName });
    assert.equal(facts.staticPrefix, prefix);
    assert.deepEqual(warnings, []);
  });
}

test('FORCE_SCRIPT_NAME goes before a relative STATIC_URL, and beats the setting scriptName', async (t) => {
  const { facts } = await factsOf(t, "STATIC_URL = 'static/'\nFORCE_SCRIPT_NAME = '/forced'", {
    scriptName: '/shop',
  });
  assert.equal(facts.staticPrefix, '/forced/static/');
});

for (const [url, prefix] of [
  ["'/media/'", '/media/'],
  ["'up/loads/'", '/up/loads/'],
  ["'https://cdn.example.com/'", undefined],
  ["''", undefined],
] as const) {
  test(`MEDIA_URL = ${url} is served at ${prefix}`, async (t) => {
    const { root, facts, warnings } = await factsOf(t, `MEDIA_URL = ${url}\nMEDIA_ROOT = BASE_DIR / 'media'`);
    assert.equal(facts.mediaPrefix, prefix);
    assert.equal(facts.mediaRoot, join(root, 'media'));
    assert.deepEqual(warnings, []);
  });
}

for (const [kind, fact] of [
  ['static', 'staticPrefix'],
  ['media', 'mediaPrefix'],
] as const) {
  const name = kind.toUpperCase();
  test(`${name}_URL = '/' would swallow the site: not served, with a warning`, async (t) => {
    const { facts, warnings } = await factsOf(t, `${name}_URL = '/'`);
    assert.deepEqual([facts[fact], facts.isDebug], [undefined, false]);
    assert.deepEqual(warnings, [
      `${name}_URL is '/', which would take every address of the site for a file, so these files are not served. Use '/${kind}/'.`,
    ]);
  });

  for (const folder of ['BASE_DIR', 'BASE_DIR.parent', "'.'", "'/'"]) {
    test(`${name}_ROOT = ${folder} holds the project itself: not served`, async (t) => {
      const { facts } = await factsOf(t, `${name}_ROOT = ${folder}`);
      assert.equal(facts[`${kind}Root`], undefined);
    });
  }
}

test('settings that Django finds contradictory are a warning, as it is no matter to a site that uses neither', async (t) => {
  const { facts, warnings } = await factsOf(t, "MEDIA_URL = '/static/'");
  assert.deepEqual(
    [facts.staticPrefix, facts.staticRoot, facts.staticFound],
    [undefined, undefined, undefined],
  );
  assert.match(
    warnings[0] ?? '',
    /^Static files are not served: ImproperlyConfigured: .*MEDIA_URL and STATIC_URL/,
  );
});

for (const [what, value] of [
  ['a Path', "BASE_DIR / 'collected'"],
  ['text', "str(BASE_DIR / 'collected')"],
  ['relative text', "'collected'"],
  ['text with a slash at the end', "str(BASE_DIR) + '/collected/'"],
] as const) {
  test(`STATIC_ROOT as ${what}`, async (t) => {
    const { root, facts } = await factsOf(t, `STATIC_ROOT = ${value}`);
    assert.equal(facts.staticRoot, join(root, 'collected'));
    assert.deepEqual([facts.staticFound, facts.staticManifest], [undefined, undefined]);
  });
}

test('an empty MEDIA_ROOT means the working directory to Django, and nothing to us', async (t) => {
  const { facts, warnings } = await factsOf(t, "MEDIA_ROOT = ''\nMEDIA_URL = '/media/'");
  assert.equal(facts.mediaRoot, undefined);
  assert.deepEqual(warnings, []);
});

test('a manifest storage: where its manifest will be', async (t) => {
  const { root, facts } = await factsOf(
    t,
    `STATIC_ROOT = BASE_DIR / 'out'\n${storageSetting(manifestStorage)}`,
  );
  assert.equal(facts.staticManifest, join(root, 'out', 'staticfiles.json'));
});

test('a manifest storage with a name of its own', async (t) => {
  const files = {
    'site_/storage.py': `from django.contrib.staticfiles.storage import ManifestStaticFilesStorage
class Named(ManifestStaticFilesStorage):
    manifest_name = 'names.json'
`,
  };
  const { root, facts } = await factsOf(
    t,
    `STATIC_ROOT = BASE_DIR / 'out'\n${storageSetting('site_.storage.Named')}`,
    { files },
  );
  assert.equal(facts.staticManifest, join(root, 'out', 'names.json'));
});

test('behind a CDN the files are collected, but not served', async (t) => {
  const { root, facts } = await factsOf(
    t,
    "STATIC_URL = 'https://cdn.example.com/'\nSTATIC_ROOT = BASE_DIR / 'out'",
  );
  assert.deepEqual([facts.staticPrefix, facts.staticRoot], [undefined, join(root, 'out')]);
});

test('a storage that is no folder is left alone', async (t) => {
  const files = {
    'site_/storage.py': 'from django.core.files.storage import Storage\nclass Bucket(Storage): pass\n',
  };
  const { facts } = await factsOf(
    t,
    `STATIC_ROOT = BASE_DIR / 'out'\n${storageSetting('site_.storage.Bucket')}`,
    { files },
  );
  assert.deepEqual(
    [facts.staticPrefix, facts.staticRoot, facts.staticFound],
    [undefined, undefined, undefined],
  );
});

test('without staticfiles there is nothing static', async (t) => {
  const { facts } = await factsOf(t, "INSTALLED_APPS = []\nSTATIC_ROOT = BASE_DIR / 'out'");
  assert.deepEqual(
    [facts.staticPrefix, facts.staticRoot, facts.staticFound],
    [undefined, undefined, undefined],
  );
});

test('without STATIC_ROOT: what the finders find, as collectstatic would', async (t) => {
  const files = {
    'shop/__init__.py': '',
    'shop/static/shop/shop.css': '',
    'shop/static/shop/deep/er/ü b.png': '',
    'shop/static/both.txt': '',
    'shop/static/backup.css~': '',
    'shop/static/.hidden/secret': '',
    'shop/static/CVS/Root': '',
    'assets/both.txt': '',
    'vendor/lib.js': '',
  };
  const { root, facts, warnings } = await factsOf(
    t,
    "INSTALLED_APPS += ['shop']\nSTATICFILES_DIRS = [BASE_DIR / 'assets', ('third/party', BASE_DIR / 'vendor')]",
    { files },
  );
  assert.deepEqual(facts.staticFound, {
    'both.txt': join(root, 'assets/both.txt'),
    'third/party/lib.js': join(root, 'vendor/lib.js'),
    'shop/shop.css': join(root, 'shop/static/shop/shop.css'),
    'shop/deep/er/ü b.png': join(root, 'shop/static/shop/deep/er/ü b.png'),
  });
  assert.deepEqual(warnings, []);
});

test('a missing folder of STATICFILES_DIRS does not hide the others', async (t) => {
  const { root, facts } = await factsOf(
    t,
    "INSTALLED_APPS += ['shop']\nSTATICFILES_DIRS = [BASE_DIR / 'gone']",
    { files: { 'shop/__init__.py': '', 'shop/static/shop.css': '' } },
  );
  assert.deepEqual(facts.staticFound, { 'shop.css': join(root, 'shop/static/shop.css') });
});

test('a view below STATIC_URL is reported with its address, a view of the prefix of staticfiles is not', async (t) => {
  const urls = [
    'from django.contrib.staticfiles.views import serve',
    'from django.http import HttpResponse',
    'from django.urls import path, re_path',
    'def page(request, **more): return HttpResponse()',
    "urlpatterns = [path('static/config.js', page), path('static/own/<path:path>', page), re_path(r'^static/(?P<path>.*)$', serve)]",
  ].join('\n');
  const { facts } = await factsOf(t, '', { files: { 'site_/urls.py': urls } });
  const view = 'site_.urls.page';
  assert.deepEqual(facts.addresses, [
    { prefix: '/static/', pieces: ['/static/config.js'], isExact: true, view },
    { prefix: '/static/', pieces: ['/static/own/'], isExact: false, view },
  ]);
});

test('a view whose pattern does not name STATIC_URL takes no static file away, and is nothing to report', async (t) => {
  const urls = [
    'from django.http import HttpResponse',
    'from django.urls import path, re_path',
    'def page(request, **more): return HttpResponse()',
    "urlpatterns = [re_path(r'admin/', page), path('<slug:top>/private/<path:path>', page)]",
  ].join('\n');
  const { facts } = await factsOf(t, '', { files: { 'site_/urls.py': urls } });
  assert.deepEqual(facts.addresses, []);
});

test('the pages of a CMS, which have any address that is left, are nothing to report beside files', async (t) => {
  const urls = [
    'from django.http import HttpResponse',
    'from django.urls import path, re_path',
    'def page(request, *some, **more): return HttpResponse()',
    // Wagtail's, that of django CMS, and one for a single-page application.
    String.raw`urlpatterns = [re_path(r'^((?:[\w\-]+/)*)$', page), re_path(r'^(?P<slug>[0-9A-Za-z-_.//]+)/$', page),`,
    "    path('<path:rest>', page), re_path(r'^.*$', page)]",
  ].join('\n');
  const media = "MEDIA_URL = '/media/'\nMEDIA_ROOT = BASE_DIR / 'media'";
  const { facts } = await factsOf(t, media, { files: { 'site_/urls.py': urls } });
  assert.deepEqual(facts.addresses, []);
});

test('static files that the templates ask for, and that the manifest does not have', async (t) => {
  const template = [
    "{% load static %}{# {% static 'not/a.css' %} #}",
    "{% static 'there.css' %}{% static \"gone.css\" %}{% static 'img/' %}{% static name %}static 'text.css'",
    "{% comment %}{% static 'not/b.css' %}{% endcomment %}{% static 'gone.css' as url %}",
  ];
  const files = {
    'templates/pages/base.html': template.join('\n'),
    'assets/there.css': '',
    'assets/new.css': '',
  };
  const settings = (storage: string, more: string[] = []) => [
    "STATIC_ROOT = BASE_DIR / 'collected'",
    "STATICFILES_DIRS = [BASE_DIR / 'assets']",
    "TEMPLATES = [{'BACKEND': 'django.template.backends.django.DjangoTemplates', 'DIRS': [BASE_DIR / 'templates']}]",
    storageSetting(storage),
    ...more,
  ];
  const missing = async (lines: string[], manifest = '{"there.css": "there.1.css"}') => {
    const collected = { 'collected/staticfiles.json': `{"version": "1.1", "paths": ${manifest}}` };
    const { facts } = await factsOf(t, lines.join('\n'), { files: { ...files, ...collected } });
    return facts.staticMissing;
  };
  const gone = { name: 'gone.css', template: 'templates/pages/base.html', isFound: false };
  assert.deepEqual(await missing(settings(manifestStorage)), [gone]);
  assert.deepEqual(await missing(settings(manifestStorage), '{}'), [
    { ...gone, name: 'there.css', isFound: true },
    gone,
  ]);
  assert.equal(await missing(settings('django.contrib.staticfiles.storage.StaticFilesStorage')), undefined);
  assert.equal(await missing(settings(manifestStorage, ['DEBUG = True'])), undefined);
});
