import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { DjangoFacts, DjangoProject } from '../../../src/contracts/project-facts.js';
import { testPython } from '../../support/python-env.js';
import { detect, detectDjango, djangoFiles, errorOf, makeProject, manage } from './project-files.js';

const djangoVersion = execFileSync(testPython(), ['-m', 'django', '--version'], { encoding: 'utf8' }).trim();

/** Detects a Django project with more lines in its settings. */
async function detectWith(
  t: TestContext,
  settings: string,
  more: { files?: Readonly<Record<string, string>>; scriptName?: string } = {},
): Promise<{ root: string; project: DjangoProject; facts: DjangoFacts }> {
  const root = makeProject(t, djangoFiles(settings, more.files));
  const project = await detectDjango(root, { settings: { scriptName: more.scriptName ?? '' } });
  return { root, project, facts: project.django };
}

test('the whole project, as it is reported', async (t) => {
  const root = makeProject(t, djangoFiles("ALLOWED_HOSTS = ['example.org', '.example.com']"));
  const { python, applicationRssBytes, django, ...rest } = await detectDjango(root, { measure: true });
  // What the checks are told is compared in test/unit/check/planted-faults.
  const { deployment, ...facts } = django;
  assert.ok(deployment !== undefined);
  assert.deepEqual(
    { ...rest, django: facts },
    {
      kind: 'django',
      server: 'gateway',
      root,
      application: 'site_.wsgi:application',
      settingsModule: 'site_.settings',
      environment: { reads: [], files: [] },
      django: {
        version: djangoVersion,
        isDebug: false,
        allowedHosts: ['example.org', '.example.com'],
        redirectsToHttps: false,
        secureProxyHeaders: {},
        decidesFraming: false,
        logsErrors: false,
        staticPrefix: '/static/',
        staticFound: {},
        addresses: [],
      },
      warnings: [],
    },
  );
  assert.equal(python?.path, testPython());
  assert.ok((applicationRssBytes ?? 0) > 1024 * 1024);
});

test('the application is imported only to be measured', async (t) => {
  const root = makeProject(t, djangoFiles('', { 'site_/wsgi.py': '1/0' }));
  assert.equal((await detectDjango(root)).applicationRssBytes, undefined);
  const error = await errorOf(detect(root, { measure: true }));
  assert.equal(error.code, 'application-raises');
  assert.match(error.detail ?? '', /site_\/wsgi\.py", line 1/);
});

test('measuring counts the views, and URLs that do not load are reported', async (t) => {
  const big = { 'site_/urls.py': 'ballast = bytes(1) * 50_000_000\nurlpatterns = []\n' };
  const { applicationRssBytes } = await detectDjango(makeProject(t, djangoFiles('', big)), { measure: true });
  assert.ok((applicationRssBytes ?? 0) > 50_000_000);
  const broken = { 'site_/urls.py': '1/0' };
  const { django } = await detectDjango(makeProject(t, djangoFiles('', broken)), { measure: true });
  assert.equal(
    django.urlsFailure,
    'The URLs of site_.urls cannot be loaded: ZeroDivisionError: division by zero',
  );
});

test('DEBUG', async (t) => {
  assert.equal((await detectWith(t, 'DEBUG = True')).facts.isDebug, true);
});

const kindOfIt = `from django.middleware.clickjacking import XFrameOptionsMiddleware
class Framing(XFrameOptionsMiddleware):
    pass
`;

for (const [what, middleware, decidesFraming] of [
  ["Django's", 'django.middleware.clickjacking.XFrameOptionsMiddleware', true],
  ['a kind of it', 'site_.framing.Framing', true],
  ['another one', 'django.middleware.common.CommonMiddleware', false],
  ['one that is missing', 'site_.missing.Framing', false],
] as const) {
  test(`whether a middleware decides who may frame a page: ${what}`, async (t) => {
    const files = { 'site_/framing.py': kindOfIt };
    const { facts } = await detectWith(t, `MIDDLEWARE = ['${middleware}']`, { files });
    assert.equal(facts.decidesFraming, decidesFraming);
  });
}

const toStderr = `{'version': 1, 'disable_existing_loggers': False,
  'handlers': {'stderr': {'class': 'logging.StreamHandler', LEVEL}}, 'LOGGERS': {'handlers': ['stderr']}}`;

for (const [what, settings, logsErrors] of [
  ["Django's own, without DEBUG", '', false],
  ["Django's own, with DEBUG", 'DEBUG = True', true],
  ['a handler of the root', `LOGGING = ${toStderr.replace('LEVEL', '').replace('LOGGERS', 'root')}`, true],
  [
    'a handler for what is worse than an error',
    `LOGGING = ${toStderr.replace('LEVEL', "'level': 'CRITICAL'").replace('LOGGERS', 'root')}`,
    false,
  ],
  ['none at all, so that Python writes to stderr', 'LOGGING_CONFIG = None', true],
] as const) {
  test(`errors are ${logsErrors ? '' : 'not '}logged by LOGGING: ${what}`, async (t) => {
    assert.equal((await detectWith(t, settings)).facts.logsErrors, logsErrors);
  });
}

test('manage.py in the only folder that has one', async (t) => {
  const files = Object.entries(djangoFiles()).map(([name, text]) => [`backend/${name}`, text]);
  const root = makeProject(t, {
    ...Object.fromEntries(files),
    'frontend/package.json': '{}',
    '.hidden/manage.py': '',
    'node_modules/manage.py': '',
    'old-env/manage.py': '',
    'old-env/pyvenv.cfg': '',
    'app.py': '1/0',
  });
  assert.equal((await detectDjango(root)).root, join(root, 'backend'));
});

test('manage.py in two folders: the error names both', async (t) => {
  const root = makeProject(t, { 'one/manage.py': '', 'two/manage.py': '' });
  const error = await errorOf(detect(root));
  assert.equal(error.code, 'several-applications');
  assert.equal(error.detail, `${root}/one/manage.py\n${root}/two/manage.py`);
  assert.equal(error.hint, `easyserve start ${root}/one`);
});

test('in a package of the project the error says where manage.py is', async (t) => {
  const root = makeProject(t, djangoFiles());
  const error = await errorOf(detect(join(root, 'site_')));
  assert.deepEqual([error.code, error.hint], ['no-application', `easyserve start ${root}`]);
  assert.match(error.message, /manage\.py is one level up/);
});

test('manage.py in the folder itself comes before those in folders', async (t) => {
  const root = makeProject(t, { ...djangoFiles(), 'one/manage.py': '', 'two/manage.py': '' });
  assert.equal((await detectDjango(root)).root, root);
});

test('the setting comes before the environment, the environment before manage.py', async (t) => {
  const more = {
    'site_/other.py': 'from site_.settings import *',
    'site_/third.py': 'from site_.settings import *',
  };
  const assigned = manage('site_.settings').replace(/setdefault\((.*), (.*)\)/, '__setitem__($1, $2)');
  for (const files of [more, { ...more, 'manage.py': assigned }]) {
    const root = makeProject(t, djangoFiles('', files));
    const env = { PATH: process.env.PATH, DJANGO_SETTINGS_MODULE: 'site_.other' };
    assert.equal((await detectDjango(root)).settingsModule, 'site_.settings');
    assert.equal((await detectDjango(root, { env })).settingsModule, 'site_.other');
    const settings = { settingsModule: 'site_.third' };
    assert.equal((await detectDjango(root, { env, settings })).settingsModule, 'site_.third');
  }
});

for (const [what, code] of [
  ['an assignment', "import os\nos.environ['DJANGO_SETTINGS_MODULE'] = 'site_.settings'\n"],
  [
    'several lines',
    'import os\nos.environ.setdefault(\n    "DJANGO_SETTINGS_MODULE",\n    "site_.settings",\n)\n',
  ],
  [
    'a computed name',
    'import os\nos.environ.setdefault("DJANGO_SETTINGS_MODULE", ".".join(["site_", "settings"]))\n',
  ],
  ['sys.exit at the end', `${manage('site_.settings')}    sys.exit()\n`],
  [
    'ManagementUtility',
    `${manage('site_.settings').replace('execute_from_command_line(sys.argv)', 'ManagementUtility(sys.argv).execute()').replace('import execute_from_command_line', 'import ManagementUtility')}`,
  ],
] as const) {
  test(`manage.py with ${what}`, async (t) => {
    const { project } = await detectWith(t, '', { files: { 'manage.py': code } });
    assert.equal(project.settingsModule, 'site_.settings');
  });
}

test('manage.py that names no settings: the error names the setting', async (t) => {
  const { 'site_/wsgi.py': _, ...files } = djangoFiles('WSGI_APPLICATION = None', { 'manage.py': 'x = 1\n' });
  const root = makeProject(t, files);
  const error = await errorOf(detect(root));
  assert.equal(error.code, 'settings-module-unknown');
  assert.equal(error.hint, 'easyserve start --set settingsModule=project.settings');
  const settings = { settingsModule: 'site_.settings' };
  assert.equal((await detectDjango(root, { settings })).settingsModule, 'site_.settings');
});

test('manage.py that raises', async (t) => {
  const error = await errorOf(detect(makeProject(t, djangoFiles('', { 'manage.py': '1/0' }))));
  assert.equal(error.code, 'manage-raises');
  assert.match(error.detail ?? '', /manage\.py", line 1/);
});

test('what manage.py prepares is there for the settings', async (t) => {
  const files = {
    'manage.py': `import os, sys\nos.environ['FROM_DOTENV'] = 'yes'\nsys.path.append('extra')\n${manage('site_.settings')}`,
    'extra/prepared.py': "HOST = 'prepared.example'\n",
  };
  const { facts } = await detectWith(
    t,
    "import os, prepared\nALLOWED_HOSTS = [prepared.HOST, os.environ['FROM_DOTENV']]",
    { files },
  );
  assert.deepEqual(facts.allowedHosts, ['prepared.example', 'yes']);
});

test('the setting settingsModule makes a Django project of a folder without manage.py', async (t) => {
  const { 'manage.py': _, ...files } = djangoFiles();
  const project = await detectDjango(makeProject(t, files), {
    settings: { settingsModule: 'site_.settings' },
  });
  assert.deepEqual([project.kind, project.application], ['django', 'site_.wsgi:application']);
});

for (const [what, setting, application] of [
  ['None', 'None', 'site_.wsgi:application'],
  ['a name', "'site_.urls.other'", 'site_.urls:other'],
] as const) {
  test(`WSGI_APPLICATION is ${what}`, async (t) => {
    const { project } = await detectWith(t, `WSGI_APPLICATION = ${setting}`);
    assert.equal(project.application, application);
  });
}

test('without WSGI_APPLICATION and wsgi.py the application is that of Django, and can be measured', async (t) => {
  const { 'site_/wsgi.py': _, ...files } = djangoFiles('WSGI_APPLICATION = None');
  const project = await detectDjango(makeProject(t, files), { measure: true });
  assert.equal(project.application, 'django.core.wsgi:get_wsgi_application()');
  assert.ok(project.applicationRssBytes);
});

test('WSGI_APPLICATION without a dot is refused', async (t) => {
  const error = await errorOf(detectWith(t, "WSGI_APPLICATION = 'application'"));
  assert.equal(error.code, 'django-settings');
  assert.match(error.message, /WSGI_APPLICATION is 'application'/);
});

test('the setting app takes the place of WSGI_APPLICATION', async (t) => {
  const project = await detectDjango(makeProject(t, djangoFiles()), {
    settings: { app: 'site_.wsgi:get_wsgi_application()' },
    measure: true,
  });
  assert.deepEqual([project.kind, project.application], ['django', 'site_.wsgi:get_wsgi_application()']);
});

test('EASYSERVER and CHEROOT as JSON carries them', async (t) => {
  const { facts } = await detectWith(
    t,
    `EASYSERVER = {'PORT': 8080, 'IP': '127.0.0.1', 'ROOT': BASE_DIR / 'x', 'LIST': (1, [2.5, None]), 'SET': {3},
  'BAD': object, 'INFINITE': float('inf'), 7: True}
CHEROOT = {'numthreads': 3}`,
  );
  const { ROOT, ...easyserver } = facts.easyserver as Record<string, unknown>;
  assert.match(String(ROOT), /^\/.*\/x$/);
  assert.deepEqual(easyserver, {
    PORT: 8080,
    IP: '127.0.0.1',
    LIST: [1, [2.5, null]],
    SET: [3],
    BAD: { __unserialisable__: "<class 'object'>" },
    INFINITE: { __unserialisable__: 'inf' },
    '7': true,
  });
  assert.deepEqual(facts.cheroot, { numthreads: 3 });
});

test('a dict that holds itself has an end', async (t) => {
  const { facts } = await detectWith(t, "EASYSERVER = {}\nEASYSERVER['again'] = EASYSERVER");
  assert.match(JSON.stringify(facts.easyserver), /__unserialisable__/);
});

test('without the two they are not there', async (t) => {
  const { facts } = await detectWith(t, '');
  assert.deepEqual(['easyserver' in facts, 'cheroot' in facts], [false, false]);
});
