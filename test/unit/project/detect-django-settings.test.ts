import assert from 'node:assert/strict';
import { test } from 'node:test';
import { manageCommand } from '../../../src/project/manage-command.js';
import { detect, detectDjango, djangoFiles, errorOf, makeProject, manage, wsgi } from './project-files.js';

const inherit = 'from site_.base import *\n';

/** A project with settings for development, which manage.py names, and for production, which wsgi.py names. */
function splitFiles(more: Readonly<Record<string, string>> = {}): Record<string, string> {
  const { 'site_/settings.py': base = '', ...files } = djangoFiles();
  return {
    ...files,
    'manage.py': manage('site_.settings.dev'),
    'site_/wsgi.py': wsgi('site_.settings.production'),
    'site_/base.py': base,
    'site_/settings/__init__.py': '',
    'site_/settings/dev.py': `${inherit}DEBUG = True\n`,
    'site_/settings/production.py': `${inherit}ALLOWED_HOSTS = ['example.org']\n`,
    ...more,
  };
}

const dotEnv = "import os\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'site_.settings.staging')\n";
const staging = { 'site_/settings/staging.py': inherit, 'read_env.py': dotEnv };

test('the settings are those that wsgi.py names, and the note does not advise the other ones', async (t) => {
  const project = await detectDjango(makeProject(t, splitFiles()));
  assert.equal(project.settingsModule, 'site_.settings.production');
  assert.deepEqual(project.warnings, [
    'The settings are site_.settings.production, as site_/wsgi.py names them, and not site_.settings.dev of manage.py',
  ]);
  const command = `${project.python.path} manage.py migrate`;
  assert.equal(manageCommand(project, 'migrate'), `${command} --settings=site_.settings.production`);
  const same = await detectDjango(
    makeProject(t, splitFiles({ 'manage.py': manage('site_.settings.production') })),
  );
  assert.equal(manageCommand(same, 'migrate'), command);
});

test('the setting and the environment come before wsgi.py, without a note', async (t) => {
  const root = makeProject(t, splitFiles());
  const chosen = 'site_.settings.dev';
  const env = { PATH: process.env.PATH, DJANGO_SETTINGS_MODULE: chosen };
  for (const more of [{ env }, { settings: { settingsModule: chosen } }]) {
    const { settingsModule, warnings, django } = await detectDjango(root, more);
    assert.deepEqual([settingsModule, warnings], [chosen, []]);
    assert.equal(django.productionSettings, 'site_.settings.production');
  }
});

for (const [what, assign] of [
  ['assigns', "os.environ['DJANGO_SETTINGS_MODULE'] = 'site_.settings.production'"],
  ['updates', "os.environ.update(DJANGO_SETTINGS_MODULE='.'.join(['site_', 'settings', 'production']))"],
] as const) {
  test(`wsgi.py that ${what} DJANGO_SETTINGS_MODULE against the setting or the environment is named`, async (t) => {
    const text = wsgi('X').replace(/os\.environ\.setdefault.*/, assign);
    const root = makeProject(t, splitFiles({ 'site_/wsgi.py': text }));
    const chosen = 'site_.settings.dev';
    const env = { PATH: process.env.PATH, DJANGO_SETTINGS_MODULE: chosen };
    for (const [who, more] of [
      ['DJANGO_SETTINGS_MODULE', { env }],
      ['the setting settingsModule', { settings: { settingsModule: chosen } }],
    ] as const) {
      const { settingsModule, warnings } = await detectDjango(root, more);
      assert.equal(settingsModule, chosen);
      assert.deepEqual(warnings, [
        `${who} names ${chosen}, but site_/wsgi.py assigns DJANGO_SETTINGS_MODULE: site_.settings.production is what is served. Write it as os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'site_.settings.production') in site_/wsgi.py`,
      ]);
    }
    // Without a word from outside it is what is taken.
    const { settingsModule } = await detectDjango(root);
    assert.equal(settingsModule, 'site_.settings.production');
  });
}

test('a .env that both files read decides for both', async (t) => {
  const read = (text: string): string => `import read_env\n${text}`;
  const root = makeProject(
    t,
    splitFiles({
      ...staging,
      'manage.py': read(manage('site_.settings.dev')),
      'site_/wsgi.py': read(wsgi('site_.settings.production')),
    }),
  );
  const { settingsModule, warnings } = await detectDjango(root);
  assert.deepEqual([settingsModule, warnings], ['site_.settings.staging', []]);
});

for (const [what, text, module] of [
  [
    'a computed name',
    wsgi('X').replace("'X'", "'.'.join(['site_', 'settings', 'production'])"),
    'production',
  ],
  ['a name that its package sets for Celery', wsgi('site_.settings.production'), 'production'],
  [
    'what cannot be imported before it names any',
    `import missing_one\n${wsgi('site_.settings.production')}`,
    'production',
  ],
  [
    'no settings',
    'from django.core.wsgi import get_wsgi_application\napplication = get_wsgi_application()\n',
    'dev',
  ],
] as const) {
  test(`wsgi.py with ${what}: ${module}`, async (t) => {
    const files = {
      'site_/wsgi.py': text,
      'site_/__init__.py':
        "import os\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'site_.settings.dev')\n",
    };
    const project = await detectDjango(makeProject(t, splitFiles(files)));
    assert.equal(project.settingsModule, `site_.settings.${module}`);
  });
}

test('what is served by ASGI has the settings that asgi.py names', async (t) => {
  const asgi = wsgi('site_.settings.live').replaceAll('wsgi', 'asgi');
  const files = {
    'site_/asgi.py': asgi,
    'site_/settings/live.py': inherit,
    'site_/settings/production.py': `${inherit}WSGI_APPLICATION = None\nASGI_APPLICATION = 'site_.asgi.application'\n`,
  };
  const root = makeProject(t, splitFiles(files));
  for (const settings of [{}, { interface: 'asgi' }] as const) {
    const project = await detectDjango(root, { settings });
    assert.deepEqual(
      [project.settingsModule, project.application],
      ['site_.settings.live', 'site_.asgi:application'],
    );
  }
  assert.equal(
    (await detectDjango(root, { settings: { interface: 'wsgi' } })).settingsModule,
    'site_.settings.production',
  );
});

const setSecret = 'export SITE_SECRET=…, for a service --env-file (docs/systemd.md)';
const needsSecret = "import os\nos.environ['SITE_SECRET']\n";

for (const [what, dev, hint] of [
  [
    'for development: they are not advised',
    `${inherit}DEBUG = True\n`,
    `${setSecret} (site_.settings.dev, which manage.py names, can be loaded, but has DEBUG = True, which is for development)`,
  ],
  [
    'for production too: the line that takes them',
    inherit,
    `${setSecret}, or, as site_.settings.dev, which manage.py names, can be loaded: easyserve start --set settingsModule=site_.settings.dev`,
  ],
  ['broken too: they are not mentioned', '1/0', setSecret],
] as const) {
  test(`settings of wsgi.py that fail, and those of manage.py are ${what}`, async (t) => {
    const files = { 'site_/settings/production.py': needsSecret, 'site_/settings/dev.py': dev };
    const error = await errorOf(detect(makeProject(t, splitFiles(files))));
    assert.equal(
      error.message,
      "Django's settings 'site_.settings.production', named by site_/wsgi.py, cannot be loaded: KeyError: 'SITE_SECRET'",
    );
    assert.equal(error.hint, hint);
  });
}

test('a typo in DJANGO_SETTINGS_MODULE is named, and nothing is installed', async (t) => {
  const root = makeProject(t, splitFiles({ 'requirements.txt': 'django' }));
  const env = { PATH: process.env.PATH, DJANGO_SETTINGS_MODULE: 'site_.settings.prodction' };
  const error = await errorOf(detect(root, { env }));
  assert.match(error.message, /'site_\.settings\.prodction' cannot be loaded/);
  assert.equal(error.hint, 'did you mean DJANGO_SETTINGS_MODULE=site_.settings.production');
  const typed = await errorOf(detect(root, { settings: { settingsModule: 'sit.settings.dev' } }));
  assert.equal(typed.hint, 'easyserve start --set settingsModule=site_.settings.dev');
});

test('manage.py that reads the settings itself reads those of wsgi.py', async (t) => {
  const reading = `${manage('site_.settings.dev').replace('    from django', '    from django.conf import settings\n    settings.DEBUG\n    from django')}`;
  const { django } = await detectDjango(makeProject(t, splitFiles({ 'manage.py': reading })));
  assert.deepEqual([django.isDebug, django.allowedHosts], [false, ['example.org']]);
});
