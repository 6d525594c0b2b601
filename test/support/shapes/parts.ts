/** What the projects of test/support/shapes are put together from. */
export type Files = Readonly<Record<string, string>>;

/** The same files in a folder. */
export function inFolder(folder: string, files: Files): Files {
  return Object.fromEntries(Object.entries(files).map(([below, text]) => [`${folder}/${below}`, text]));
}

/** manage.py, as startproject makes it; `before` stands in front of what it does. */
export function managePy(settingsModule: string, before = ''): string {
  return `import os
import sys
${before}
if __name__ == '__main__':
    os.environ.setdefault('DJANGO_SETTINGS_MODULE', '${settingsModule}')
    from django.core.management import execute_from_command_line
    execute_from_command_line(sys.argv)
`;
}

export function wsgiPy(settingsModule: string, before = ''): string {
  return `import os
import sys
${before}
from django.core.wsgi import get_wsgi_application
os.environ.setdefault('DJANGO_SETTINGS_MODULE', '${settingsModule}')
application = get_wsgi_application()
`;
}

export interface SettingsParts {
  /** The package that has urls.py and wsgi.py. */
  readonly site: string;
  /** How many folders the file lies below the one with manage.py. */
  readonly depth?: number;
  /** More lines, at the end. */
  readonly more?: string;
}

/** A settings file for production. */
export function settingsPy({ site, depth = 1, more = '' }: SettingsParts): string {
  return `import os
from pathlib import Path
import django
BASE_DIR = Path(__file__).resolve().parents[${depth}]
SECRET_KEY = 'kR3-long-and-of-no-use-to-anybody-else-0123456789-qwertz'
DEBUG = False
ALLOWED_HOSTS = ['127.0.0.1', 'localhost', '.example.org']
INSTALLED_APPS = ['django.contrib.staticfiles', 'pages']
MIDDLEWARE = ['django.middleware.security.SecurityMiddleware', 'django.middleware.common.CommonMiddleware']
ROOT_URLCONF = '${site}.urls'
WSGI_APPLICATION = '${site}.wsgi.application'
TEMPLATES = [{'BACKEND': 'django.template.backends.django.DjangoTemplates', 'APP_DIRS': True,
              'OPTIONS': {'context_processors': ['django.template.context_processors.request']}}]
STATIC_URL = '/static/'
STATIC_ROOT = BASE_DIR / 'staticfiles'
MEDIA_URL = '/media/'
MEDIA_ROOT = BASE_DIR / 'media'
USE_TZ = True
LOGGING = {'version': 1, 'disable_existing_loggers': False,
           'handlers': {'stderr': {'class': 'logging.StreamHandler'}}, 'root': {'handlers': ['stderr']}}
def static_storage(backend):
    if django.VERSION < (4, 2):
        return {'STATICFILES_STORAGE': backend}
    return {'STORAGES': {'default': {'BACKEND': 'django.core.files.storage.FileSystemStorage'},
                         'staticfiles': {'BACKEND': backend}}}
${more}
`;
}

export const manifestStorage =
  "globals().update(static_storage('django.contrib.staticfiles.storage.ManifestStaticFilesStorage'))";

/** The application `pages`: a page with a style sheet and its release, and uploads. */
export const pagesApp: Files = {
  VERSION: 'one',
  'pages/__init__.py': '',
  'pages/static/pages/site.css': 'body { background: url("dot.svg") }\n'.repeat(60),
  'pages/static/pages/dot.svg': '<svg xmlns="http://www.w3.org/2000/svg"/>',
  'pages/templates/pages/home.html':
    '{% load static %}<link rel="stylesheet" href="{% static \'pages/site.css\' %}">settings={{ settings }} version={{ version }}',
  'pages/views.py': `import os
from django.conf import settings
from django.core.files.storage import default_storage
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt

VERSION = (settings.BASE_DIR / 'VERSION').read_text().strip()


def home(request):
    facts = {'settings': os.environ['DJANGO_SETTINGS_MODULE'], 'version': VERSION}
    return render(request, 'pages/home.html', facts)


@csrf_exempt
def upload(request):
    file = request.FILES['file']
    return HttpResponse(default_storage.url(default_storage.save(file.name, file)))
`,
};

/** urls.py with the page and the upload; `more` patterns come first. */
export function urlsPy(more = '', imports = ''): string {
  return `from django.urls import include, path, re_path
from pages import views
${imports}
urlpatterns = [
    ${more}
    path('', views.home),
    path('upload', views.upload),
]
`;
}

/** A project as startproject makes it, with the application. */
export function startProject(site: string, more: { settings?: string; urls?: string } = {}): Files {
  return {
    ...pagesApp,
    'manage.py': managePy(`${site}.settings`),
    [`${site}/__init__.py`]: '',
    [`${site}/settings.py`]: settingsPy({ site, more: more.settings ?? '' }),
    [`${site}/urls.py`]: more.urls ?? urlsPy(),
    [`${site}/wsgi.py`]: wsgiPy(`${site}.settings`),
  };
}
