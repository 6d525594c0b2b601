import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { EasyserveError } from '../../../src/contracts/errors.js';
import { callInstance, connectToInstance } from '../../../src/control/control-client.js';
import { ControlServer } from '../../../src/control/control-server.js';
import { acquireInstance } from '../../../src/control/instance-lock.js';
import { findStateFolders, stateFolderOf } from '../../../src/control/state-folder.js';
import { makeTempDir } from '../../support/copy-fixture.js';
import { leftoversOf } from '../../support/leftovers.js';

const uid = process.getuid?.() ?? 0;

function modeOf(path: string): number {
  return statSync(path).mode & 0o777;
}

test('the state is kept in the project, readable by its owner only and unseen by git', async (t) => {
  const project = makeTempDir(t);
  const folder = await stateFolderOf(project);
  assert.equal(folder.path, join(project, '.easyserve'));
  assert.equal(modeOf(folder.path), 0o700);
  assert.equal(readFileSync(join(folder.path, '.gitignore'), 'utf8'), '*\n');
});

test('a folder that is open to others is closed to them', async (t) => {
  const project = makeTempDir(t);
  mkdirSync(join(project, '.easyserve'));
  chmodSync(join(project, '.easyserve'), 0o755);
  assert.equal(modeOf((await stateFolderOf(project)).path), 0o700);
});

test('a path that is too long for a socket moves the state to the fallback, found again by its name', async (t) => {
  const tmp = makeTempDir(t);
  const project = join(makeTempDir(t), 'a'.repeat(80));
  mkdirSync(project);
  const folder = await stateFolderOf(project, { tmp });
  assert.match(folder.path, new RegExp(`^${tmp}/easyserve-${uid}/[0-9a-f]{16}$`));
  assert.equal(modeOf(folder.path), 0o700);
  assert.equal(modeOf(join(tmp, `easyserve-${uid}`)), 0o700);
  assert.equal(existsSync(join(project, '.easyserve')), false);
  const candidates = await findStateFolders(project, { tmp });
  assert.ok(candidates.some((candidate) => candidate.path === folder.path));
});

test('a file in the place of the state folder moves the state to the fallback', async (t) => {
  const tmp = makeTempDir(t);
  const project = makeTempDir(t);
  writeFileSync(join(project, '.easyserve'), '');
  assert.ok((await stateFolderOf(project, { tmp })).path.startsWith(tmp));
});

test('a state folder of another user is not used', async (t) => {
  const tmp = makeTempDir(t);
  const project = makeTempDir(t);
  mkdirSync(join(project, '.easyserve'));
  const stranger = uid + 1;
  mkdirSync(join(tmp, `easyserve-${stranger}`), { mode: 0o700 });
  // As the stranger would see it: neither .easyserve nor the folder in tmp (made by us) is theirs.
  await assert.rejects(stateFolderOf(project, { tmp, uid: stranger }), (error) => {
    assert.ok(error instanceof EasyserveError);
    assert.equal(error.code, 'state-folder-unsafe');
    assert.ok(error.message.includes(join(tmp, `easyserve-${stranger}`)));
    return true;
  });
});

test('a fallback folder that is a symbolic link is refused', async (t) => {
  const tmp = makeTempDir(t);
  const project = makeTempDir(t);
  writeFileSync(join(project, '.easyserve'), '');
  symlinkSync(makeTempDir(t), join(tmp, `easyserve-${uid}`));
  await assert.rejects(stateFolderOf(project, { tmp }), { code: 'state-folder-unsafe' });
});

test('a project that is named by a link keeps its state beside the link, whichever release it points to', async (t) => {
  const site = makeTempDir(t);
  mkdirSync(join(site, 'one'));
  mkdirSync(join(site, 'two'));
  symlinkSync('one', join(site, 'current'));
  const folder = await stateFolderOf(join(site, 'current'));
  assert.equal(folder.path, join(site, '.easyserve-current'));
  const [first] = await findStateFolders(join(site, 'current'));
  assert.equal(first?.path, folder.path);
});

test('an instance that was started through a link is found under the real path, and the other way round', async (t) => {
  const site = makeTempDir(t);
  const real = join(site, 'one');
  const link = join(site, 'current');
  mkdirSync(real);
  symlinkSync('one', link);
  for (const [startedBy, otherName] of [
    [link, real],
    [real, link],
  ] as const) {
    const folder = await stateFolderOf(startedBy);
    const lock = await acquireInstance(folder);
    const server = await ControlServer.listen(folder.controlSocket, async () => 'here');
    assert.equal(await callInstance(otherName, { verb: 'ping' }), 'here');
    const connection = await connectToInstance(otherName);
    connection.socket.destroy();
    assert.equal(connection.folder.path, folder.path);
    await assert.rejects(acquireInstance(await stateFolderOf(otherName)), {
      code: 'already-running',
      message: `This folder is served already (process ${process.pid}).`,
    });
    await server.close();
    await lock.release();
    assert.deepEqual(leftoversOf([site]), []);
  }
});

test('a link to the socket of an instance that has ended hinders nobody', async (t) => {
  const site = makeTempDir(t);
  mkdirSync(join(site, 'one'));
  symlinkSync('one', join(site, 'current'));
  await stateFolderOf(join(site, 'current'));
  const folder = await stateFolderOf(join(site, 'one'));
  assert.equal(folder.path, join(site, 'one', '.easyserve'));
  const lock = await acquireInstance(folder);
  const server = await ControlServer.listen(folder.controlSocket, async () => 'here');
  assert.equal(await callInstance(join(site, 'one'), { verb: 'ping' }), 'here');
  await server.close();
  await lock.release();
});

test('a link above the project does not matter', async (t) => {
  const real = makeTempDir(t);
  mkdirSync(join(real, 'site'));
  const link = join(makeTempDir(t), 'link');
  symlinkSync(real, link);
  assert.equal(
    (await stateFolderOf(join(link, 'site'))).path,
    join(realpathSync(real), 'site', '.easyserve'),
  );
});

test('root looks into the fallback folders of every user', async (t) => {
  const tmp = makeTempDir(t);
  const project = makeTempDir(t);
  mkdirSync(join(tmp, `easyserve-${uid}`));
  mkdirSync(join(tmp, 'easyserve-424242'));
  mkdirSync(join(tmp, 'easyserve-unrelated'));
  const paths = (await findStateFolders(project, { tmp, uid: 0 })).map((folder) => folder.path);
  assert.ok(paths.some((path) => path.startsWith(`${join(tmp, `easyserve-${uid}`)}/`)));
  // Named after 424242, but made by somebody else.
  assert.ok(!paths.some((path) => path.startsWith(join(tmp, 'easyserve-424242'))));
});

test('a project that is not there is named', async (t) => {
  const missing = join(makeTempDir(t), 'missing');
  await assert.rejects(stateFolderOf(missing), {
    code: 'project-missing',
    message: `The folder ${missing} does not exist.`,
  });
});
