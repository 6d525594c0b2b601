import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Subject } from '../../../src/check/check.js';
import { sessionChecks } from '../../../src/check/session-checks.js';
import { djangoSubject, namesFound } from '../../support/check-subject.js';

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

test('sessions in the memory of each process: an error, and a warning where the database has them too', async () => {
  const find = async (engine: string, processes: number) => {
    const deployment = {
      sessions: { engine: `django.contrib.sessions.backends.${engine}`, cache: 'default' },
      caches: { isSet: false, backends: { default: 'django.core.cache.backends.locmem.LocMemCache' } },
    };
    const names = await namesFound(djangoSubject({ deployment }, { plan: { processes } }));
    return names.filter((name) => name.startsWith('sessions'));
  };
  assert.deepEqual(await find('cache', 2), ['sessions-per-process error']);
  assert.deepEqual(await find('cached_db', 2), ['sessions-per-process warning']);
  assert.deepEqual(await find('cached_db', 1), []);
  assert.deepEqual(await find('signed_cookies', 2), []);
});
