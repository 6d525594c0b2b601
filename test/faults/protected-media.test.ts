import assert from 'node:assert/strict';
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Easyserve } from '../support/easyserve.js';
import { forEachMode, integrationTimeoutMs, type Mode } from '../support/for-each-mode.js';
import { rawConnection } from '../support/raw-connection.js';
import { startEasyserve } from '../support/start-easyserve.js';

const head = `
import functools
from django.conf import settings
from django.conf.urls.i18n import i18n_patterns
from django.http import HttpResponse
from django.urls import include, path, re_path
from django.views import View
from django.views.static import serve

def protect(view):
    @functools.wraps(view)
    def closed(request, *args, **kwargs):
        return HttpResponse('closed', status=403)
    return closed

class MediaView(View):
    def get(self, request, path):
        return HttpResponse('closed', status=403)

def closed(request, *args, **kwargs):
    return HttpResponse('closed', status=403)

def accelerated(request, path):
    answer = HttpResponse('nobody sees this')
    answer['X-Accel-Redirect'] = '/internal/' + path
    return closed(request) if 'private' in path else answer

def page(request, *args, **kwargs):
    return HttpResponse('page')

root = {'document_root': settings.MEDIA_ROOT}
`;

type Answers = Readonly<Record<string, number>>;
const all = { '/media/a.txt': 403, '/media/private/b.txt': 403, '/media/%70rivate/b.txt': 403 };
const onlyPrivate = { '/media/a.txt': 200, '/media/private/b.txt': 403, '/media/%70rivate/b.txt': 403 };
const none = { '/media/a.txt': 200, '/media/private/b.txt': 200 };

/** Patterns of a project that has MEDIA_URL = '/media/', and what a stranger gets. */
const projects: Readonly<Record<string, readonly [patterns: string, answers: Answers]>> = {
  'no pattern at all': ['', none],
  // The file that is not there shows that easyserve has looked for it.
  'a view that has easyserve send the file': [
    "path('media/<path:path>', accelerated)",
    { '/media/a.txt': 200, '/media/private/b.txt': 403, '/media/c.txt': 404, '/internal/a.txt': 404 },
  ],
  "Django's helper": ["re_path(r'^media/(?P<path>.*)$', serve, root)", none],
  'a decorated serve': ["re_path(r'^media/(?P<path>.*)$', protect(serve), root)", all],
  'a decorated serve without ^': ["re_path(r'media/(?P<path>.*)$', protect(serve), root)", all],
  'a class, as in NetBox': ["path('media/<path:path>', MediaView.as_view())", all],
  'a view in an include': ["path('media/', include([path('<path:path>', closed)]))", all],
  'a view for several prefixes': ["re_path(r'^(?P<kind>media|docs)/(?P<path>.*)$', closed)", all],
  'a view of some files': ["path('media/private/<path:path>', closed)", onlyPrivate],
  'a view of some files, before the helper': [
    "path('media/private/<path:path>', closed), re_path(r'^media/(?P<path>.*)$', serve, root)",
    onlyPrivate,
  ],
  'a view behind the helper': [
    "re_path(r'^media/(?P<path>.*)$', serve, root), path('media/<path:path>', closed)",
    none,
  ],
  'a page for everything else': ["path('<path:path>', page)", none],
  'a page for everything else, after a protected one': [
    "path('media/<path:path>', closed), re_path(r'^(?!static/).*$', page)",
    all,
  ],
  'a protected serve for everything else': ["path('<path:path>', protect(serve), root)", all],
  'below i18n_patterns, of which one language has no prefix': [
    "*i18n_patterns(path('media/<path:path>', closed), prefix_default_language=False)",
    all,
  ],
  'an expression without ^, which Django looks for anywhere': ["re_path(r'private/', closed)", onlyPrivate],
  'an expression without ^ in an include': [
    "path('media/', include([re_path(r'vate/', closed)]))",
    onlyPrivate,
  ],
  'a kind of file': ["re_path(r'^.*/b\\.txt$', closed)", onlyPrivate],
  'a converter before the text': ["path('<slug:top>/private/<path:p>', closed)", onlyPrivate],
  'a choice behind a converter': ["re_path(r'^([a-z]+)/(private|secret)/', closed)", onlyPrivate],
  'letters of any case in a group': ["re_path(r'^(?i:MEDIA)/private/', closed)", onlyPrivate],
  'a helper of some files': [
    "re_path(r'^media/(?!private)(?P<path>.*)$', serve, root), path('media/private/<path:p>', closed)",
    onlyPrivate,
  ],
  'a helper without ^ for other addresses': [
    "re_path(r'files/(?P<path>.*)$', serve, root), path('media/private/<path:p>', closed)",
    onlyPrivate,
  ],
  'a view for everything, before the helper': [
    "re_path(r'.*', closed), re_path(r'^media/(?P<path>.*)$', serve, root)",
    all,
  ],
  'a view for everything, behind the helper': [
    "re_path(r'^media/(?P<path>.*)$', serve, root), re_path(r'.*', closed)",
    none,
  ],
  'a page of two converters': [
    "path('<slug:user>/<int:pk>', closed), path('<slug:user>/edit/', closed)",
    none,
  ],
  'a view of one file': ["path('media/a.txt', closed)", { '/media/a.txt': 403, '/media/private/b.txt': 200 }],
};

function write(dir: string, patterns: string): void {
  writeFileSync(join(dir, 'minimal/urls.py'), `${head}urlpatterns = [path('', page), ${patterns}]\n`);
}

function startWith(
  t: TestContext,
  mode: Mode,
  patterns: string,
  more: { settings?: Readonly<Record<string, unknown>>; django?: string } = {},
): Promise<Easyserve> {
  return startEasyserve(t, {
    fixture: 'django-minimal',
    mode,
    settings: { watch: false, accelRoots: { '/internal/': 'media' }, ...more.settings },
    prepare: (dir) => {
      mkdirSync(join(dir, 'media/private'), { recursive: true });
      writeFileSync(join(dir, 'media/a.txt'), 'open');
      writeFileSync(join(dir, 'media/private/b.txt'), 'secret');
      appendFileSync(
        join(dir, 'minimal/settings.py'),
        `\nMEDIA_URL = '/media/'\nMEDIA_ROOT = os.path.abspath('media')\n${more.django ?? ''}\n`,
      );
      write(dir, patterns);
    },
  });
}

/** The status for a path that goes out as it stands. */
async function statusOf(t: TestContext, easyserve: Easyserve, path: string, method = 'GET'): Promise<number> {
  const connection = await rawConnection(t, easyserve.url);
  connection.send(`${method} ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
  return Number((await connection.readToEnd()).slice(9, 12));
}

async function expectAnswers(t: TestContext, easyserve: Easyserve, answers: Answers): Promise<void> {
  for (const [path, status] of Object.entries(answers)) {
    assert.equal(await statusOf(t, easyserve, path), status, path);
  }
}

forEachMode(['single', 'cluster'], (mode, testIn) => {
  testIn('a view of media keeps them, whatever its pattern is; a reload looks anew', async (t) => {
    const easyserve = await startWith(t, mode, '');
    const some = Object.entries(projects).slice(0, mode === 'cluster' ? 5 : undefined);
    for (const [name, [patterns, answers]] of some) {
      await t.test(name, async (t) => {
        write(easyserve.dir, patterns);
        const { code, stderr } = await easyserve.cli('reload');
        assert.equal(code, 0, stderr);
        await expectAnswers(t, easyserve, answers);
      });
    }
  });
});

test('start, check and config say what the application answers, and serveMedia decides otherwise', {
  timeout: integrationTimeoutMs,
}, async (t) => {
  const easyserve = await startWith(t, 'single', "path('media/<path:path>', MediaView.as_view())");
  const says = /The application answers \/media\/…, .*minimal\.urls\.MediaView.*serveMedia = true/;
  assert.match(easyserve.output, says);
  for (const verb of ['check', 'config']) assert.match((await easyserve.cli(verb)).stdout, says, verb);
  easyserve.writeFile('easyserve.json', '{"serveMedia": true, "watch": false}');
  assert.equal((await easyserve.cli('reload')).code, 0);
  await expectAnswers(t, easyserve, none);
  assert.match((await easyserve.cli('config')).stdout, /everybody gets the files at \/media\/…/);
  easyserve.writeFile('easyserve.json', '{"serveMedia": false, "watch": false}');
  write(easyserve.dir, '');
  assert.equal((await easyserve.cli('reload')).code, 0);
  await expectAnswers(t, easyserve, { '/media/a.txt': 404 });
});

test('start, check and config name a view whose address has its text in the middle, and none that has any address that is left', {
  timeout: integrationTimeoutMs,
}, async (t) => {
  const easyserve = await startWith(
    t,
    'single',
    "path('<slug:top>/private/<path:p>', closed), re_path(r'.*', page)",
  );
  const left = /The application answers \/…\/private\/… below \/media\/, .*urls\.closed/;
  const said = [easyserve.output];
  for (const verb of ['check', 'config']) said.push((await easyserve.cli(verb)).stdout);
  for (const text of said) {
    assert.match(text, left);
    assert.doesNotMatch(text, /urls\.page/);
  }
});

test('a middleware that asks for a login keeps the files that Django would serve by itself', {
  timeout: integrationTimeoutMs,
}, async (t) => {
  const easyserve = await startWith(t, 'single', "re_path(r'^media/(?P<path>.*)$', serve, root)", {
    django:
      "MIDDLEWARE = ['minimal.settings.require_login']\ndef require_login(get_response):\n    from django.http import HttpResponse\n    return lambda request: HttpResponse(status=403)\n",
  });
  await expectAnswers(t, easyserve, all);
});

test('a mapped folder that hides a view is reported; a method that is none of files reaches the view', {
  timeout: integrationTimeoutMs,
}, async (t) => {
  const easyserve = await startWith(
    t,
    'single',
    "path('files/report/', page), path('media/upload/', closed), path('<path:path>', page)",
    { settings: { static: { '/files/': 'media' } } },
  );
  assert.match(
    easyserve.output,
    /The files at \/files\/ hide the view minimal\.urls\.page at \/files\/report\//,
  );
  assert.equal(await statusOf(t, easyserve, '/media/upload/', 'POST'), 403);
  assert.equal(await statusOf(t, easyserve, '/media/a.txt', 'POST'), 405);
  assert.doesNotMatch((await easyserve.cli('check')).stdout, /urls\.page at \/media/);
});
