import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Subject } from '../../../src/check/check.js';
import { sessionChecks } from '../../../src/check/session-checks.js';

const project = {
  kind: 'wsgi',
  application: 'app:app',
  hasEngineIo: true,
  python: { path: '/site/.venv/bin/python' },
};

async function namesFor(more: object, plan = { threads: 32, processes: 2 }): Promise<string[]> {
  const subject = { project: { ...project, ...more }, plan } as unknown as Subject;
  const found = await Promise.all(
    sessionChecks.map(async ({ name, find }) => ((await find(subject)).length > 0 ? [name] : [])),
  );
  return found.flat();
}

test('Socket.IO under WSGI: no WebSockets, with the line that has them', async () => {
  assert.deepEqual(await namesFor({}), ['socket-io-under-wsgi']);
  const subject = { project, plan: { threads: 32, processes: 1 } } as unknown as Subject;
  const [fault] = (await sessionChecks[0]?.find(subject)) ?? [];
  assert.match(fault?.fix ?? '', /command = "gunicorn .*--bind unix:\$SOCKET app:app"$/);
});

test('Socket.IO under WSGI: few threads are a warning', async () => {
  assert.deepEqual(await namesFor({}, { threads: 10, processes: 1 }), [
    'socket-io-under-wsgi',
    'socket-io-threads',
  ]);
});

test('nothing of the kind for others', async () => {
  for (const more of [{ hasEngineIo: false }, { kind: 'asgi' }, { kind: 'node' }]) {
    assert.deepEqual(await namesFor(more, { threads: 1, processes: 1 }), []);
  }
});
