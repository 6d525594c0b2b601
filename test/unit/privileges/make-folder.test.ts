import assert from 'node:assert/strict';
import { chmodSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeFolder } from '../../../src/privileges/make-folder.js';
import { Privileges } from '../../../src/privileges/privileges.js';
import { makeTempDir } from '../../support/copy-fixture.js';

const ownRights = new Privileges(undefined);

test('a folder is made with those above it, and one that is there is left alone', (t) => {
  const project = makeTempDir(t);
  const path = join(project, 'data', 'media');
  assert.equal(makeFolder(path, project, ownRights), true);
  assert.ok(statSync(path).isDirectory());
  chmodSync(path, 0o700);
  assert.equal(makeFolder(path, project, ownRights), false);
  assert.equal(statSync(path).mode & 0o777, 0o700);
});

test('one that cannot be made is named, with the command that makes it', () => {
  assert.throws(() => makeFolder('/proc/media', '/proc', ownRights), {
    code: 'folder-not-made',
    message: /writes to \/proc\/media, which is missing and cannot be made/,
    hint: /^sudo install -d -o \S+ "\/proc\/media"$/,
  });
});
