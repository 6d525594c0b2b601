import { join } from 'node:path';
import { readTextFile } from '../contracts/read-file.js';
import { exists, isFile } from './path-checks.js';
import { listProjectFolders } from './project-folders.js';

/** Where a package is missing. */
export interface PackagePlace {
  readonly python: { readonly path: string; readonly source: string };
  readonly root: string;
  /** The folder that the person named. */
  readonly named: string;
}

/** How to install `what`, a package. Many systems refuse to install into their own interpreter (PEP 668). */
export function describeInstall({ python, root }: PackagePlace, what: string): string {
  if (!isOfSystem(python)) return `${python.path} -m pip install ${what}`;
  const environment = join(root, '.venv');
  return `${python.path} -m venv ${environment} && ${environment}/bin/python -m pip install ${what}`;
}

/**
 * How to install what the project requires, by the tool that it uses; else the package that has `module`, where it is known
 * which one that is. A name is never guessed: anybody may publish a package called like a module of the project.
 */
export async function describeRequirements(
  place: PackagePlace,
  module: string | undefined,
): Promise<string | undefined> {
  for (const folder of await listProjectFolders(place.root, place.named)) {
    const wanted = await describeFolder(folder, place);
    if (wanted !== undefined) return wanted;
  }
  const name = packageOf(module);
  return name === undefined ? undefined : describeInstall(place, name);
}

// Private

function isOfSystem({ source }: PackagePlace['python']): boolean {
  return source.endsWith('of PATH');
}

const requirementFiles = [
  'requirements.txt',
  'requirements/production.txt',
  'requirements/prod.txt',
  'requirements/base.txt',
  'requirements-prod.txt',
] as const;

async function describeFolder(folder: string, place: PackagePlace): Promise<string | undefined> {
  const enter = folder === place.root ? '' : `cd ${folder} && `;
  const project = await readTextFile(join(folder, 'pyproject.toml')).catch(() => '');
  const has = (name: string): Promise<boolean> => exists(join(folder, name));
  if ((await has('uv.lock')) || /^\s*\[tool\.uv\b/m.test(project)) return `${enter}uv sync`;
  if ((await has('poetry.lock')) || /^\s*\[tool\.poetry\b/m.test(project)) return `${enter}poetry install`;
  if (await has('pdm.lock')) return `${enter}pdm install`;
  if (await has('Pipfile')) return `${enter}pipenv install`;
  for (const file of requirementFiles) {
    if (!(await isFile(join(folder, file)))) continue;
    return describeInstall(place, `-r ${folder === place.root ? file : join(folder, file)}`);
  }
  if (await has('pixi.lock')) return `${enter}pixi install`;
  if (await has('environment.yml')) return `${enter}conda env update -f environment.yml`;
  const isPackage = /^\s*dependencies\s*=/m.test(project) || (await isFile(join(folder, 'setup.py')));
  return isPackage ? describeInstall(place, folder === place.root ? '.' : folder) : undefined;
}

/** Modules that web applications import, whose package has the same name. */
const sameNames = [
  ...[
    'aiohttp',
    'bottle',
    'celery',
    'channels',
    'cherrypy',
    'daphne',
    'dash',
    'django',
    'falcon',
    'fastapi',
    'flask',
  ],
  ...['flask_cors', 'flask_login', 'flask_migrate', 'flask_sqlalchemy', 'flask_wtf', 'gevent', 'gunicorn'],
  ...['hypercorn', 'jinja2', 'litestar', 'mysqlclient', 'psycopg', 'pydantic', 'pyramid', 'quart', 'redis'],
  ...[
    'requests',
    'sanic',
    'sqlalchemy',
    'starlette',
    'streamlit',
    'tornado',
    'uvicorn',
    'wagtail',
    'werkzeug',
    'whitenoise',
  ],
];

/** And those whose package is called otherwise. */
const otherNames: Readonly<Record<string, string>> = {
  allauth: 'django-allauth',
  bs4: 'beautifulsoup4',
  compressor: 'django-compressor',
  configurations: 'django-configurations',
  corsheaders: 'django-cors-headers',
  crispy_forms: 'django-crispy-forms',
  debug_toolbar: 'django-debug-toolbar',
  decouple: 'python-decouple',
  dotenv: 'python-dotenv',
  environ: 'django-environ',
  flask_socketio: 'flask-socketio',
  imagekit: 'django-imagekit',
  MySQLdb: 'mysqlclient',
  PIL: 'pillow',
  psycopg2: 'psycopg2-binary',
  rest_framework: 'djangorestframework',
  socketio: 'python-socketio',
  storages: 'django-storages',
  yaml: 'pyyaml',
};

function packageOf(module: string | undefined): string | undefined {
  const first = module?.split('.')[0] ?? '';
  if (sameNames.includes(first)) return first.replaceAll('_', '-');
  return Object.hasOwn(otherNames, first) ? otherNames[first] : undefined;
}
