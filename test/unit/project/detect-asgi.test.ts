import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Project } from '../../../src/contracts/project-facts.js';
import type { ServerSettings } from '../../../src/project/choose-server.js';
import { detect, djangoFiles, errorOf, makeProject, wsgiCallable } from './project-files.js';

const asgiCallable = (name: string): string => `async def ${name}(scope, receive, send): pass\n`;
const asgiModule =
  'from django.core.asgi import get_asgi_application\napplication = get_asgi_application()\n';
const noWsgi = 'WSGI_APPLICATION = None\n';
const asgiSetting = "ASGI_APPLICATION = 'site_.asgi.application'\n";

for (const [what, files, settings, expected] of [
  ['asgi.py', { 'asgi.py': asgiCallable('application') }, {}, ['asgi', 'asgi:application', 'uvicorn']],
  ['main.py, as of FastAPI', { 'main.py': asgiCallable('app') }, {}, ['asgi', 'main:app', 'uvicorn']],
  [
    'an object whose __call__ is a coroutine',
    { 'app.py': 'class App:\n  async def __call__(self, scope, receive, send): pass\napp = App()\n' },
    {},
    ['asgi', 'app:app', 'uvicorn'],
  ],
  [
    'a function with three arguments',
    { 'app.py': 'def app(scope, receive, send): pass\n' },
    {},
    ['asgi', 'app:app', 'uvicorn'],
  ],
  [
    'a factory',
    { 'app.py': `${asgiCallable('made')}def create_app(): return made\n` },
    {},
    ['asgi', 'app:create_app()', 'uvicorn'],
  ],
  [
    'wsgi.py before asgi.py',
    { 'asgi.py': asgiCallable('app'), 'wsgi.py': wsgiCallable('app') },
    {},
    ['wsgi', 'wsgi:app', 'gateway'],
  ],
  [
    'asgi.py where ASGI is asked for',
    { 'asgi.py': asgiCallable('app'), 'wsgi.py': wsgiCallable('app') },
    { interface: 'asgi' },
    ['asgi', 'asgi:app', 'uvicorn'],
  ],
  [
    'the server decides too',
    { 'asgi.py': asgiCallable('app'), 'wsgi.py': wsgiCallable('app') },
    { server: 'daphne' },
    ['asgi', 'asgi:app', 'daphne'],
  ],
  [
    'both in one file',
    { 'app.py': wsgiCallable('application') + asgiCallable('app') },
    { interface: 'asgi' },
    ['asgi', 'app:app', 'uvicorn'],
  ],
] as const) {
  test(`found: ${what}`, async (t) => {
    const project = await detect(makeProject(t, files), { settings });
    assert.deepEqual(described(project), expected);
  });
}

for (const [code, files, settings, message, hint] of [
  [
    'application-asgi',
    { 'app.py': asgiCallable('app') },
    { app: 'app:app', interface: 'wsgi' },
    "'app:app' is ASGI, and the setting interface asks for WSGI.",
    'easyserve start --set interface=auto',
  ],
  [
    'application-asgi',
    { 'app.py': asgiCallable('app') },
    { app: 'app:app', server: 'cheroot' },
    "'app:app' is ASGI, and the setting server asks for WSGI.",
    'easyserve start --set server=auto',
  ],
  [
    'application-wsgi',
    { 'app.py': wsgiCallable('app') },
    { app: 'app:app', server: 'uvicorn' },
    "'app:app' is WSGI, and the setting server asks for ASGI.",
    'easyserve start --set server=auto',
  ],
  [
    'application-not-callable',
    { 'app.py': 'def app(): pass\n' },
    { app: 'app:app', interface: 'asgi' },
    "'app:app' does not take (scope, receive, send).",
    "If that is a factory: easyserve start --set 'app=app:app()'",
  ],
] as const) {
  test(`${code}: ${JSON.stringify(settings)}`, async (t) => {
    const error = await errorOf(detect(makeProject(t, files), { settings }));
    assert.deepEqual([error.code, error.exitCode, error.message, error.hint], [code, 4, message, hint]);
  });
}

test('a file that holds only the other kind is not taken', async (t) => {
  const error = await errorOf(
    detect(makeProject(t, { 'wsgi.py': wsgiCallable('app') }), { settings: { interface: 'asgi' } }),
  );
  assert.equal(error.code, 'no-application');
  assert.match(error.detail ?? '', /wsgi\.py is there, but has none of these for ASGI/);
});

for (const [what, lines, settings, expected] of [
  ['both names: WSGI', '', {}, ['django', 'site_.wsgi:application', 'gateway']],
  ['ASGI alone', noWsgi + asgiSetting, {}, ['django', 'site_.asgi:application', 'uvicorn']],
  [
    'ASGI_APPLICATION, and Channels is installed',
    asgiSetting,
    {},
    ['django', 'site_.asgi:application', 'uvicorn'],
  ],
  [
    'Daphne among the INSTALLED_APPS',
    "INSTALLED_APPS = ['daphne']\n",
    {},
    ['django', 'site_.asgi:application', 'uvicorn'],
  ],
  [
    'Channels, but WSGI is asked for',
    asgiSetting,
    { interface: 'wsgi' },
    ['django', 'site_.wsgi:application', 'gateway'],
  ],
  ['ASGI is asked for', '', { interface: 'asgi' }, ['django', 'site_.asgi:application', 'uvicorn']],
  ['the server decides', '', { server: 'hypercorn' }, ['django', 'site_.asgi:application', 'hypercorn']],
  [
    'an application that is named',
    '',
    { app: 'site_.asgi:application' },
    ['django', 'site_.asgi:application', 'uvicorn'],
  ],
  ['CHEROOT', "CHEROOT = {'numthreads': 3}\n", {}, ['django', 'site_.wsgi:application', 'cheroot']],
  [
    'EASYSERVER names the server',
    "EASYSERVER = {'SERVER': 'daphne'}\n",
    {},
    ['django', 'site_.asgi:application', 'daphne'],
  ],
] as const) {
  test(`Django: ${what}`, async (t) => {
    const project = await detectDjango(t, lines, settings);
    assert.deepEqual(described(project), expected);
  });
}

test("Django's own ASGI application, where there is no asgi.py", async (t) => {
  const root = makeProject(t, djangoFiles());
  const { application } = await detect(root, { settings: { interface: 'asgi' }, measure: true });
  assert.equal(application, 'django.core.asgi:get_asgi_application()');
});

test('WSGI_APPLICATION that is ASGI is found when it is imported', async (t) => {
  const root = makeProject(
    t,
    djangoFiles("WSGI_APPLICATION = 'site_.asgi.application'", { 'site_/asgi.py': asgiModule }),
  );
  const error = await errorOf(detect(root, { measure: true }));
  assert.equal(error.code, 'application-asgi');
});

function described({ kind, application, server }: Project): readonly string[] {
  return [kind, application, server];
}

/** `withDjango` as load-release has it, for the settings that these tests have in Django. */
function detectDjango(
  t: TestContext,
  lines: string,
  settings: Partial<ServerSettings> & { app?: string },
): Promise<Project> {
  const root = makeProject(t, djangoFiles(lines, { 'site_/asgi.py': asgiModule }));
  return detect(root, {
    settings,
    withDjango: ({ easyserver, cheroot }) => ({
      interface: 'auto',
      transport: 'auto',
      server: (easyserver as { SERVER?: 'daphne' } | undefined)?.SERVER ?? 'auto',
      cheroot: (cheroot as Record<string, unknown> | undefined) ?? {},
      ...settings,
    }),
  });
}
