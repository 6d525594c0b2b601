import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { TestContext } from 'node:test';
import { prepareJournalDatabase } from './journal-database.js';
import { repositoryRoot } from './repository.js';

export type FixtureName =
  | 'django-site'
  | 'django-minimal'
  | 'wsgi-hello'
  | 'asgi-hello'
  | 'django-channels'
  | 'node-hello'
  | 'node-site'
  | 'plain-site'
  | 'request-journal'
  | 'socket-io'
  | 'flask-socket-io';

/** What running an application leaves behind in its folder; never part of a copy. */
const leftBehind = new Set(['__pycache__', '.easyserve', 'db.sqlite3', 'media', 'static-collected']);

export function fixturePath(name: string): string {
  return join(repositoryRoot, 'test', 'fixtures', name);
}

/** A folder of the test's own, symbolic links resolved (/tmp is one on some systems); removed at the end. */
export function makeTempDir(t: TestContext): string {
  const dir = createTempDir();
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/** Without the removal: for startEasyserve, which must look at the folder after everything has stopped. */
export function createTempDir(): string {
  // Short, because Unix sockets live below it and their paths may have 107 bytes (unix(7)).
  return realpathSync(mkdtempSync(join(tmpdir(), 'es-')));
}

/** Copies a fixture into a new folder `to`. The Django site comes with a migrated database (see journal-database). */
export function copyFixture(name: FixtureName, to: string): string {
  mkdirSync(to, { recursive: true });
  cpSync(fixturePath(name), to, {
    recursive: true,
    dereference: true,
    filter: (source) => !leftBehind.has(basename(source)),
  });
  if (name === 'django-site') prepareJournalDatabase(to);
  return to;
}
