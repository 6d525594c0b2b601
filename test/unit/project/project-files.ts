import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import { EasyserveError } from '../../../src/contracts/errors.js';
import type { DjangoProject } from '../../../src/contracts/project-facts.js';
import { type Detection, detectProject } from '../../../src/project/detect-project.js';
import { makeTempDir } from '../../support/copy-fixture.js';
import { testPython } from '../../support/python-env.js';

type Files = Readonly<Record<string, string>>;

/** A folder of the test's own with these files (path -> text). */
export function makeProject(t: TestContext, files: Files): string {
  const root = makeTempDir(t);
  for (const [name, text] of Object.entries(files)) {
    const path = join(root, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
  return root;
}

/** The files of a small Django project called `site`, as startproject makes them; `settings` are more lines of it. */
export function djangoFiles(settings = '', more: Files = {}): Record<string, string> {
  return {
    'manage.py': manage('site_.settings'),
    'site_/__init__.py': '',
    'site_/settings.py': [
      'from pathlib import Path',
      'BASE_DIR = Path(__file__).resolve().parent.parent',
      "SECRET_KEY = 'for tests'",
      "INSTALLED_APPS = ['django.contrib.staticfiles']",
      "ROOT_URLCONF = 'site_.urls'",
      "WSGI_APPLICATION = 'site_.wsgi.application'",
      "STATIC_URL = '/static/'",
      settings,
    ].join('\n'),
    'site_/urls.py': 'urlpatterns = []\n',
    'site_/wsgi.py': wsgi('site_.settings'),
    ...more,
  };
}

export function manage(settingsModule: string): string {
  return `#!/usr/bin/env python
import os
import sys


def main():
    os.environ.setdefault('DJANGO_SETTINGS_MODULE', '${settingsModule}')
    from django.core.management import execute_from_command_line
    execute_from_command_line(sys.argv)


if __name__ == '__main__':
    main()
`;
}

export function wsgi(settingsModule: string): string {
  return `import os
from django.core.wsgi import get_wsgi_application
os.environ.setdefault('DJANGO_SETTINGS_MODULE', '${settingsModule}')
application = get_wsgi_application()
`;
}

/** A WSGI application called `name`, in Python. */
export function wsgiCallable(name: string): string {
  return `def ${name}(environ, start_response):\n    start_response('200 OK', [])\n    return [b'']\n`;
}

type Settings = Detection['settings'];

const unset: Settings = {
  app: null,
  appPorts: [],
  settingsModule: null,
  python: null,
  scriptName: '',
  static: {},
  wellKnownRoot: null,
  server: 'auto',
  interface: 'auto',
  cheroot: {},
  transport: 'auto',
  command: null,
  folder: null,
  fallback: null,
};

/** detectProject with the test's Python, unless the settings name another. */
export function detect(
  root: string,
  { settings = {}, ...more }: Partial<Omit<Detection, 'settings'>> & { settings?: Partial<Settings> } = {},
): ReturnType<typeof detectProject> {
  return detectProject({
    root,
    settings: { ...unset, python: testPython(), ...settings },
    env: { PATH: process.env.PATH, PYTHONDONTWRITEBYTECODE: '1' },
    measure: false,
    timeoutMs: 30_000,
    ...more,
  });
}

/** The same for a folder that has to be a Django project. */
export async function detectDjango(...args: Parameters<typeof detect>): Promise<DjangoProject> {
  const project = await detect(...args);
  if (project.kind !== 'django') throw new Error(`a project of kind ${project.kind} was found`);
  return project;
}

/** The EasyserveError that `promise` rejects with; fails when it does not. */
export async function errorOf(promise: Promise<unknown>): Promise<EasyserveError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof EasyserveError) return error;
    throw error;
  }
  throw new Error('it did not fail');
}
