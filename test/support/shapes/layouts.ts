import assert from 'node:assert/strict';
import { renameSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { ask } from '../http-client.js';
import {
  inFolder,
  managePy,
  manifestStorage,
  pagesApp,
  settingsPy,
  startProject,
  urlsPy,
  wsgiPy,
} from './parts.js';
import type { Shape } from './shape.js';

/** Reads NAME=value lines of a file, as django-environ and python-dotenv do. */
const readDotEnv = `
def read_dot_env(path):
    for line in open(path):
        name, _, value = line.strip().partition('=')
        if name:
            os.environ.setdefault(name, value)
`;

/** Where settings are, and which of them are taken. */
export const layouts: readonly Shape[] = [
  {
    name: 'settings package, where manage.py names those for development and wsgi.py those for production (Wagtail)',
    files: {
      ...pagesApp,
      'manage.py': managePy('mysite.settings.dev'),
      'mysite/__init__.py': '',
      'mysite/settings/__init__.py': '',
      'mysite/settings/base.py': settingsPy({ site: 'mysite', depth: 2, more: 'DEBUG = True' }),
      'mysite/settings/dev.py': "from .base import *\nINSTALLED_APPS += ['not_installed_here']\n",
      'mysite/settings/production.py': `from .base import *\nDEBUG = False\n${manifestStorage}\n`,
      'mysite/urls.py': urlsPy('', ''),
      'mysite/wsgi.py': wsgiPy('mysite.settings.production'),
    },
    settings: 'mysite.settings.production',
    says: [/^The settings are mysite\.settings\.production, as mysite\/wsgi\.py names them/],
    isClustered: true,
  },
  {
    name: 'config/settings, applications in a folder of their own, secrets in .env (cookiecutter-django)',
    files: {
      VERSION: 'one',
      ...inFolder('site_apps', pagesApp),
      'site_apps/VERSION': '',
      '.env': 'DJANGO_SECRET_KEY=out-of-the-file-and-long-enough-0123456789-abcdefghijkl\n',
      'manage.py': managePy('config.settings.local', pathLine('')),
      'config/__init__.py': '',
      'config/settings/__init__.py': '',
      'config/settings/base.py': settingsPy({
        site: 'config',
        depth: 2,
        more: `${readDotEnv}read_dot_env(BASE_DIR / '.env')\nSECRET_KEY = os.environ['DJANGO_SECRET_KEY']\n${manifestStorage}`,
      }),
      'config/settings/local.py': 'from .base import *\nDEBUG = True\n',
      'config/settings/production.py': 'from .base import *\n',
      'config/urls.py': urlsPy(),
      'config/wsgi.py': wsgiPy('config.settings.production', pathLine('..')),
    },
    settings: 'config.settings.production',
    says: [/^The settings are config\.settings\.production, as config\/wsgi\.py names them/],
  },
  {
    name: 'DJANGO_SETTINGS_MODULE of the environment goes before all (django-wiki)',
    files: {
      ...startProject('testproject'),
      'testproject/production.py': `from .settings import *\n${manifestStorage}\n`,
    },
    env: { DJANGO_SETTINGS_MODULE: 'testproject.production' },
    settings: 'testproject.production',
  },
  {
    name: 'the project in a folder below, started from above (django-oscar, NetBox)',
    files: {
      'README.md': 'A project.',
      ...inFolder('sandbox', startProject('sandbox_site', { settings: manifestStorage })),
    },
    project: 'sandbox',
    settings: 'sandbox_site.settings',
  },
  {
    name: 'releases and a link to the current one (Capistrano, Deployer)',
    files: {
      ...inFolder('releases/1', startProject('shop', { settings: manifestStorage })),
      ...inFolder('releases/2', { ...startProject('shop', { settings: manifestStorage }), VERSION: 'two' }),
    },
    links: { current: 'releases/1' },
    start: 'current',
    settings: 'shop.settings',
    deploy: (top) => {
      symlinkSync('releases/2', join(top, 'next'));
      renameSync(join(top, 'next'), join(top, 'current'));
    },
    isClustered: true,
  },
  {
    name: 'pages by language (django-oscar)',
    files: startProject('shop', {
      settings: `${manifestStorage}
USE_I18N = True
LANGUAGES = [('en', 'English'), ('de', 'Deutsch')]
MIDDLEWARE.insert(1, 'django.middleware.locale.LocaleMiddleware')`,
      urls: `${urlsPy()}
from django.conf.urls.i18n import i18n_patterns
urlpatterns = [path('upload', views.upload)] + i18n_patterns(path('', views.home))
`,
    }),
    settings: 'shop.settings',
    page: '/de/',
    also: async (site) => {
      const { status, headers } = await ask(site.url, '/', { headers: { 'Accept-Language': 'de' } });
      assert.equal(status, 302);
      assert.equal(headers.location, '/de/');
    },
  },
];

// Private

/** For manage.py and wsgi.py, which cookiecutter-django has so; `up` leads to the folder of manage.py. */
function pathLine(up: string): string {
  return `sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), '${up}', 'site_apps'))`;
}
