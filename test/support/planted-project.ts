import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Settings that are in order, for a test to plant one fault in. */
const soundSettings = `
from pathlib import Path
BASE_DIR = Path(__file__).resolve().parent.parent
SECRET_KEY = ''.join(map(chr, range(33, 93))).replace('<', '')
DEBUG = False
ALLOWED_HOSTS = ['www.example.org']
INSTALLED_APPS = [
    'django.contrib.auth',
    'django.contrib.contenttypes',
    'django.contrib.sessions',
    'django.contrib.staticfiles',
]
MIDDLEWARE = [
    'django.middleware.security.SecurityMiddleware',
    'django.contrib.sessions.middleware.SessionMiddleware',
    'django.middleware.common.CommonMiddleware',
    'django.middleware.csrf.CsrfViewMiddleware',
    'django.middleware.clickjacking.XFrameOptionsMiddleware',
]
ROOT_URLCONF = 'planted.urls'
WSGI_APPLICATION = 'planted.wsgi.application'
DATABASES = {}
DEFAULT_AUTO_FIELD = 'django.db.models.BigAutoField'
STATIC_URL = '/static/'
STATIC_ROOT = BASE_DIR / 'static'
MEDIA_URL = '/media/'
MEDIA_ROOT = BASE_DIR / 'media'
TIME_ZONE = 'UTC'
USE_TZ = True
LOGGING = {
    'version': 1,
    'handlers': {'stderr': {'class': 'logging.StreamHandler'}},
    'root': {'handlers': ['stderr']},
}
`;

const manage = `import os
import sys
os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'planted.settings')
from django.core.management import execute_from_command_line
execute_from_command_line(sys.argv)
`;

const wsgi = `import os
from django.core.wsgi import get_wsgi_application
os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'planted.settings')
application = get_wsgi_application()
`;

/** Writes a Django project into the folder that has no fault but those of `lines`, more lines of its settings. */
export function plantProject(dir: string, lines = '', files: Readonly<Record<string, string>> = {}): string {
  const all = {
    'manage.py': manage,
    'planted/__init__.py': '',
    'planted/settings.py': `${soundSettings}${lines}\n`,
    'planted/urls.py': 'urlpatterns = []\n',
    'planted/wsgi.py': wsgi,
    ...files,
  };
  for (const [name, text] of Object.entries(all)) {
    const path = join(dir, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
  return dir;
}
