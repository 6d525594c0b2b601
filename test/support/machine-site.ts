import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Machine } from './machine.js';

const settings = `
import os
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent
SECRET_KEY = os.environ.get('SHOP_SECRET', 'none')
ALLOWED_HOSTS = ['*']
INSTALLED_APPS = ['django.contrib.staticfiles']
ROOT_URLCONF = 'shop.urls'
STATIC_URL = 'static/'
STATIC_ROOT = BASE_DIR / 'collected' / 'static'
STATICFILES_DIRS = [BASE_DIR / 'assets']
MEDIA_URL = 'media/'
MEDIA_ROOT = BASE_DIR / 'uploads' / 'media'
USE_TZ = True
`;

const urls = (release: string) => `
import os
from pathlib import Path
from django.conf import settings
from django.http import HttpResponse
from django.urls import path

def index(request):
    return HttpResponse('release ${release}')

def upload(request):
    Path(settings.MEDIA_ROOT, 'a.txt').write_text('uploaded to ${release}')
    return HttpResponse('stored')

def environment(request):
    return HttpResponse(os.environ.get(request.GET['name'], 'missing'))

urlpatterns = [path('', index), path('upload', upload), path('environment', environment)]
`;

const manage = `
import os, sys
os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'shop.settings')
if __name__ == '__main__':
    from django.core.management import execute_from_command_line
    execute_from_command_line(sys.argv)
`;

/** A Django project in a folder of the machine, the user's own; neither STATIC_ROOT nor MEDIA_ROOT is there yet. */
export function makeMachineSite(
  machine: Machine,
  folder: string,
  { release = '1', port = 8000, moreSettings = '' } = {},
): void {
  const files = {
    'manage.py': manage,
    'shop/__init__.py': '',
    'shop/settings.py': `${settings}${moreSettings}`,
    'shop/urls.py': urls(release),
    'assets/site.css': `/* ${release} */`,
    'easyserve.toml': `port = ${port}\nwatch = false\n`,
  };
  for (const [name, text] of Object.entries(files)) {
    const path = machine.path(join(folder, name));
    mkdirSync(join(path, '..'), { recursive: true });
    writeFileSync(path, text);
  }
  machine.makeEnvironment(folder);
  machine.sh(`chown -R shop: ${folder}`);
}
