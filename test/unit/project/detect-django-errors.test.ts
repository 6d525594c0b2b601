import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Project } from '../../../src/contracts/project-facts.js';
import { testPython } from '../../support/python-env.js';
import { detect, detectDjango, djangoFiles, errorOf, makeProject } from './project-files.js';

/** Detects a Django project with more lines in its settings. */
function detectWith(t: TestContext, settings: string): Promise<Project> {
  return detect(makeProject(t, djangoFiles(settings)));
}

test('Django missing: the error says in which interpreter, and how to install', async (t) => {
  const root = makeProject(t, djangoFiles());
  execFileSync(testPython(), ['-m', 'venv', '--without-pip', join(root, '.venv')]);
  const error = await errorOf(detect(root, { settings: { python: null } }));
  const python = join(root, '.venv/bin/python');
  assert.equal(error.code, 'django-missing');
  assert.equal(error.message, `Django is not installed. The interpreter is ${python} (from .venv).`);
  assert.equal(error.hint, `${python} -m pip install django`);
});

test('Django missing in the interpreter of the system: the hint makes an environment that will be found', async (t) => {
  const root = makeProject(t, djangoFiles());
  const bare = makeProject(t, {});
  execFileSync(testPython(), ['-m', 'venv', '--without-pip', bare]);
  const env = { PATH: join(bare, 'bin') };
  const error = await errorOf(detect(root, { settings: { python: null }, env }));
  assert.equal(
    error.hint,
    `${bare}/bin/python3 -m venv ${root}/.venv && ${root}/.venv/bin/python -m pip install django`,
  );
});

for (const [what, files, command] of [
  ['uv', { 'uv.lock': '' }, 'uv sync'],
  ['Poetry', { 'pyproject.toml': '[tool.poetry]\n' }, 'poetry install'],
  ['Pipenv', { Pipfile: '' }, 'pipenv install'],
  ['PDM', { 'pdm.lock': '' }, 'pdm install'],
  ['conda', { 'environment.yml': '' }, 'conda env update -f environment.yml'],
  ['Pixi', { 'pixi.lock': '', 'environment.yml': '' }, 'pixi install'],
] as const) {
  test(`a package is missing in a project of ${what}: the hint is ${command}`, async (t) => {
    const root = makeProject(t, djangoFiles('import missing_one', files));
    assert.equal((await errorOf(detect(root))).hint, command);
    const flask = makeProject(t, { 'app.py': 'import missing_one', ...files });
    assert.equal((await errorOf(detect(flask))).hint, command);
  });
}

for (const [what, files, hint] of [
  [
    'a template of .env',
    { '.env.example': 'TOKEN=' },
    'cp .env.example .env, and fill in TOKEN and what else it names',
  ],
  [
    'a .env',
    { '.env': 'OTHER=1', '.env.example': 'TOKEN=' },
    'TOKEN=… in .env, where the project reads it, or export TOKEN=…, for a service --env-file (docs/systemd.md)',
  ],
  ['neither', {}, 'export TOKEN=…, for a service --env-file (docs/systemd.md)'],
] as const) {
  test(`a variable that is not set, in a project with ${what}: the hint brings it`, async (t) => {
    const lines = [
      "import os\nos.environ['TOKEN']",
      "import os\nif not os.getenv('TOKEN') or not os.getenv('OTHER_ONE'): raise RuntimeError('set TOKEN first')",
    ];
    for (const line of lines) {
      assert.equal((await errorOf(detect(makeProject(t, djangoFiles(line, files))))).hint, hint);
      assert.equal((await errorOf(detect(makeProject(t, { 'app.py': line, ...files })))).hint, hint);
    }
    const other = "import os\nos.environ.get('TOKEN')\nraise KeyError('another')";
    assert.equal((await errorOf(detectWith(t, other))).hint, undefined);
  });
}

for (const [what, settings, reason] of [
  [
    'the storage of static files',
    "STORAGES = {'staticfiles': {'BACKEND': 'missing_one.Storage'}}\nINSTALLED_APPS += ['site_.app']",
    /missing_one/,
  ],
  [
    'the driver of the database',
    "DATABASES = {'default': {'ENGINE': 'django.db.backends.postgresql', 'NAME': 'site'}}\nINSTALLED_APPS += ['site_.app']",
    /Error loading psycopg2/,
  ],
] as const) {
  test(`a package is missing that ${what} needs: the hint installs what the project requires`, async (t) => {
    const asked = 'from django.core.files.storage import storages\nfrom django.db import connection\n';
    const files = {
      'uv.lock': '',
      'site_/app/__init__.py': '',
      'site_/app/models.py': `${asked}storages['staticfiles']\nconnection.vendor`,
    };
    const error = await errorOf(detect(makeProject(t, djangoFiles(settings, files))));
    assert.match(error.message, reason);
    assert.equal(error.hint, 'uv sync');
  });
}

for (const [module, name] of [
  ['flask', 'flask'],
  ['fastapi', 'fastapi'],
  ['dotenv', 'python-dotenv'],
] as const) {
  test(`${module} is missing, and nothing says what the project requires: the hint installs ${name}`, async (t) => {
    const root = makeProject(t, { 'app.py': `import ${module}` });
    execFileSync(testPython(), ['-m', 'venv', '--without-pip', join(root, '.venv')]);
    const error = await errorOf(detect(root, { settings: { python: null } }));
    assert.equal(error.hint, `${join(root, '.venv/bin/python')} -m pip install ${name}`);
  });
}

test('a module of the project that is missing is not looked for among packages', async (t) => {
  const root = makeProject(t, { 'app.py': 'import of_the_project' });
  assert.equal((await errorOf(detect(root))).hint, undefined);
});

test('Django missing: what the project requires is installed', async (t) => {
  const root = makeProject(t, djangoFiles('', { 'requirements.txt': 'django' }));
  execFileSync(testPython(), ['-m', 'venv', '--without-pip', join(root, '.venv')]);
  const error = await errorOf(detect(root, { settings: { python: null } }));
  assert.equal(error.hint, `${join(root, '.venv/bin/python')} -m pip install -r requirements.txt`);
});

for (const [code, settings, message, detail] of [
  [
    'django-settings',
    '1/0',
    /'site_\.settings' cannot be loaded: ZeroDivisionError/,
    /site_\/settings\.py", line 8/,
  ],
  ['django-settings', 'def x(:', /SyntaxError: .*settings\.py, line 8/, /def x\(:/],
  ['django-settings', 'import missing_one', /No module named 'missing_one'/, /settings\.py", line 8/],
  ['django-settings', 'import sys; sys.exit(3)', /SystemExit: 3/, /settings\.py", line 8/],
  [
    'django-setup',
    "INSTALLED_APPS += ['missing_app']",
    /No module named 'missing_app'/,
    /ModuleNotFoundError/,
  ],
] as const) {
  test(`${code}: settings with ${settings}`, async (t) => {
    const error = await errorOf(detectWith(t, settings));
    assert.equal(error.code, code);
    assert.match(error.message, message);
    assert.match(error.detail ?? '', detail);
    assert.doesNotMatch(error.detail ?? '', /inspect_django/);
  });
}

test('settings that are not there', async (t) => {
  const root = makeProject(t, djangoFiles());
  const error = await errorOf(detect(root, { settings: { settingsModule: 'site_.nothere' } }));
  assert.equal(error.code, 'django-settings');
  assert.match(error.message, /'site_\.nothere' cannot be loaded: .*No module named 'site_\.nothere'/);
});

test('settings that end the process leave their last words', async (t) => {
  const error = await errorOf(detectWith(t, 'import os\nprint("no database", flush=True)\nos._exit(1)'));
  assert.equal(error.code, 'application-dies');
  assert.equal(error.detail, 'no database');
});

test('settings that hang are ended at the deadline', async (t) => {
  const root = makeProject(t, djangoFiles('import threading\nthreading.Event().wait()'));
  const error = await errorOf(detect(root, { timeoutMs: 5000 }));
  assert.equal(error.code, 'application-hangs');
  assert.match(error.detail ?? '', /site_\/settings\.py", line 9, in <module>/);
});

test('settings that print do not disturb', async (t) => {
  const root = makeProject(t, djangoFiles('print("{}")\nimport os\nos.write(1, b"noise" * 50_000)'));
  const project = await detectDjango(root);
  assert.equal(project.settingsModule, 'site_.settings');
});
