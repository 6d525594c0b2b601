import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PythonQuestion } from '../../../src/project/ask-python.js';
import {
  chooseServer,
  readInterfacePreference,
  type ServerFacts,
  type ServerSettings,
} from '../../../src/project/choose-server.js';
import { errorOf } from './project-files.js';

const unset: ServerSettings = { server: 'auto', interface: 'auto', cheroot: {}, transport: 'auto' };
const everything = ['cheroot', 'uvicorn', 'granian', 'hypercorn', 'daphne', 'channels', 'websockets'];

/** Answers as inspect_cheroot.py does. */
const question: PythonQuestion = {
  python: { path: '/site/.venv/bin/python', source: '.venv', version: '3.12.1', warnings: [] },
  root: '/site',
  named: '/site',
  env: {},
  timeoutMs: 1000,
  run: async () => ({
    code: 0,
    signal: null,
    durationMs: 1,
    isTimedOut: false,
    stdout: '',
    output: '',
    answer: JSON.stringify({
      report: { version: 'Cheroot/11', keywords: { numthreads: 'int', timeout: 'int' } },
    }),
  }),
};

function choose(
  settings: Partial<ServerSettings>,
  facts: Partial<ServerFacts> = {},
): ReturnType<typeof chooseServer> {
  return chooseServer(
    { ...unset, ...settings },
    { interface: 'wsgi', installed: everything, ...facts },
    question,
  );
}

for (const [what, settings, facts, server] of [
  ['WSGI', {}, {}, 'gateway'],
  ['WSGI with a cheroot setting', { cheroot: { numthreads: 3 } }, {}, 'cheroot'],
  ['Cheroot that is named', { server: 'cheroot' }, {}, 'cheroot'],
  [
    'the gateway that is named, in spite of a cheroot setting',
    { server: 'gateway', cheroot: { max: 'x' } },
    {},
    'gateway',
  ],
  ['the gateway without any package', {}, { installed: [] }, 'gateway'],
  ['ASGI: uvicorn is the first', {}, { interface: 'asgi' }, 'uvicorn'],
  ['ASGI: then granian', {}, { interface: 'asgi', installed: ['daphne', 'hypercorn', 'granian'] }, 'granian'],
  ['ASGI: then hypercorn', {}, { interface: 'asgi', installed: ['daphne', 'hypercorn'] }, 'hypercorn'],
  ['ASGI: then daphne', {}, { interface: 'asgi', installed: ['daphne'] }, 'daphne'],
  ['ASGI: the one that is named', { server: 'daphne' }, { interface: 'asgi' }, 'daphne'],
  ['the gateway over TCP', { transport: 'tcp' }, {}, 'gateway'],
] as const) {
  test(`${what}: ${server}`, async () => {
    assert.equal((await choose(settings, facts)).server, server);
  });
}

for (const [settings, facts, code, message, hint] of [
  [
    { server: 'cheroot' },
    { installed: [] },
    'server-missing',
    'The server cheroot is not installed. The interpreter is /site/.venv/bin/python (from .venv).',
    '/site/.venv/bin/python -m pip install cheroot',
  ],
  [
    { server: 'granian' },
    { interface: 'asgi', installed: ['uvicorn'] },
    'server-missing',
    'The server granian is not installed. The interpreter is /site/.venv/bin/python (from .venv).',
    '/site/.venv/bin/python -m pip install granian',
  ],
  [
    { server: 'granian' },
    { interface: 'asgi', installed: ['uvicorn', 'old granian'] },
    'server-missing',
    'The server granian is too old for easyserve. The interpreter is /site/.venv/bin/python (from .venv).',
    '/site/.venv/bin/python -m pip install --upgrade granian',
  ],
  [
    {},
    { interface: 'asgi', installed: ['cheroot', 'channels'] },
    'no-asgi-server',
    'This is an ASGI application, and none of uvicorn, granian, hypercorn, daphne is installed. The interpreter is /site/.venv/bin/python (from .venv).',
    "/site/.venv/bin/python -m pip install 'uvicorn[standard]'",
  ],
  [
    { transport: 'tcp' },
    { interface: 'asgi' },
    'server-needs-unix-sockets',
    'easyserve reaches uvicorn over Unix sockets only; over TCP just its own gateway.',
    'easyserve start --set transport=auto',
  ],
] as const) {
  test(`${code}: ${JSON.stringify(settings)}`, async () => {
    const error = await errorOf(choose(settings, facts));
    assert.deepEqual([error.code, error.exitCode, error.message, error.hint], [code, 4, message, hint]);
  });
}

test("the system's own interpreter gets an environment first", async () => {
  const ofSystem = {
    ...question,
    python: { ...question.python, path: '/usr/bin/python3', source: 'python3 of PATH' },
  };
  const error = await errorOf(
    chooseServer({ ...unset, server: 'cheroot' }, { interface: 'wsgi', installed: [] }, ofSystem),
  );
  assert.equal(
    error.hint,
    '/usr/bin/python3 -m venv /site/.venv && /site/.venv/bin/python -m pip install cheroot',
  );
});

test('keywords that the installed Cheroot does not take are a settings error', async () => {
  const error = await errorOf(choose({ cheroot: { numthread: 3 } }));
  assert.deepEqual(
    [error.code, error.exitCode, error.hint],
    ['unknown-setting', 3, 'did you mean numthreads?'],
  );
});

test('what a setting cannot do is a warning', async () => {
  const { warnings: ofAsgi } = await choose({ cheroot: { numthreads: 3 } }, { interface: 'asgi' });
  assert.match(ofAsgi.join(), /cheroot setting has no effect/);
  const { warnings: ofTimeout } = await choose({ cheroot: { timeout: 2 } });
  assert.match(ofTimeout.join(), /timeout = 2/);
});

test('uvicorn that cannot speak WebSockets is a warning where there are Channels', async () => {
  const installed = ['uvicorn', 'channels'];
  const { warnings } = await choose({}, { interface: 'asgi', installed });
  assert.deepEqual(warnings, [
    'uvicorn has no WebSockets without a package for them: /site/.venv/bin/python -m pip install websockets',
  ]);
  for (const more of [['websockets'], ['wsproto']]) {
    const { warnings: none } = await choose({}, { interface: 'asgi', installed: [...installed, ...more] });
    assert.deepEqual(none, []);
  }
  assert.deepEqual((await choose({}, { interface: 'asgi', installed: ['uvicorn'] })).warnings, []);
});

for (const [server, named, wish] of [
  ['auto', 'auto', { interface: undefined, chosenBy: 'interface' }],
  ['auto', 'asgi', { interface: 'asgi', chosenBy: 'interface' }],
  ['cheroot', 'auto', { interface: 'wsgi', chosenBy: 'server' }],
  ['gateway', 'wsgi', { interface: 'wsgi', chosenBy: 'server' }],
  ['hypercorn', 'auto', { interface: 'asgi', chosenBy: 'server' }],
] as const) {
  test(`server ${server} with interface ${named} wishes for ${wish.interface}`, () => {
    assert.deepEqual(readInterfacePreference({ ...unset, server, interface: named }), wish);
  });
}

for (const [server, named] of [
  ['cheroot', 'asgi'],
  ['uvicorn', 'wsgi'],
] as const) {
  test(`server ${server} contradicts interface ${named}`, () => {
    assert.throws(() => readInterfacePreference({ ...unset, server, interface: named }), {
      name: 'SettingsError',
      code: 'conflicting-settings',
    });
  });
}
