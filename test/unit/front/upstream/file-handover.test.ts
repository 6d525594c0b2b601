import assert from 'node:assert/strict';
import { mkdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { RequestKind } from '../../../../src/front/upstream/frames.js';
import { collectWarnings } from '../../../support/collect-warnings.js';
import { eventually } from '../../../support/eventually.js';
import type { FakeThread } from '../../../support/fake-gateway.js';
import { countOpenFiles, makeFileTree } from '../../../support/file-tree.js';
import { type GatewayWorld, makeGatewayWorld } from '../../../support/gateway-world.js';
import type { RawConnection } from '../../../support/raw-connection.js';

const digits = '0123456789';

interface Handover {
  readonly world: GatewayWorld;
  readonly root: string;
  readonly path: string;
  readonly connection: RawConnection;
  readonly thread: FakeThread;
}

/** A request has arrived at the application, which has a file with ten digits open. */
async function beginHandover(t: TestContext, content: string | Buffer = digits): Promise<Handover> {
  const root = await makeFileTree(t, { file: content });
  const world = await makeGatewayWorld(t);
  const connection = await world.served.connect();
  connection.send('GET / HTTP/1.1\r\nHost: h\r\n\r\n');
  const { thread } = await world.gateway.nextFrame();
  return { world, root, path: join(root, 'file'), connection, thread };
}

interface Target {
  readonly path: string;
  readonly offset?: number;
  readonly length?: number;
  readonly inode?: number;
}

async function offer(thread: FakeThread, { path, offset = 0, length = 10, inode }: Target): Promise<void> {
  const facts = await stat(path).catch(() => ({ dev: 1, ino: 1 }));
  const target = [path, offset, length, facts.dev, inode ?? facts.ino].join('\0');
  thread.send('file', '200 OK\0Content-Type\0application/pdf', Buffer.from(target));
}

test('a file that the application hands over is sent by the front, and the thread is free', async (t) => {
  const { world, root, path, connection, thread } = await beginHandover(t);
  await offer(thread, { path });
  assert.equal((await world.gateway.nextFrame()).kind, RequestKind.fileOpened);
  thread.send('end');
  await world.untilIdle(1);
  const text = await connection.readUntil(digits);
  assert.match(text, /^HTTP\/1\.1 200 OK\r\n/);
  assert.match(text, /\r\nContent-Type: application\/pdf\r\nContent-Length: 10\r\n/);
  await eventually(async () => assert.equal(await countOpenFiles(root), 0));
});

test('a part of a file', async (t) => {
  const { world, path, connection, thread } = await beginHandover(t);
  await offer(thread, { path, offset: 3, length: 4 });
  await world.gateway.nextFrame();
  thread.send('end');
  const text = await connection.readUntil('3456');
  assert.match(text, /\r\nContent-Length: 4\r\n/);
  assert.ok(text.endsWith('\r\n\r\n3456'));
});

test('a file of nothing', async (t) => {
  const { world, root, path, connection, thread } = await beginHandover(t, '');
  await offer(thread, { path, length: 0 });
  await world.gateway.nextFrame();
  thread.send('end');
  assert.match(await connection.readUntil('\r\n\r\n'), /\r\nContent-Length: 0\r\n/);
  await eventually(async () => assert.equal(await countOpenFiles(root), 0));
});

test('a file that is deleted once it is handed over is sent all the same', async (t) => {
  const content = Buffer.alloc(5_000_000, 'x');
  const { world, path, connection, thread } = await beginHandover(t, content);
  await offer(thread, { path, length: content.length });
  await world.gateway.nextFrame();
  await rm(path);
  thread.send('end');
  await connection.readUntil(/x$/);
  await eventually(() => assert.ok(connection.received.length > content.length));
});

test('a file behind a symbolic link', async (t) => {
  const { world, root, path, thread } = await beginHandover(t);
  await symlink(path, join(root, 'link'));
  await offer(thread, { path: join(root, 'link') });
  assert.equal((await world.gateway.nextFrame()).kind, RequestKind.fileOpened);
});

const refused: [what: string, target: (root: string) => Promise<Target>][] = [
  ['a file that is not there', async (root) => ({ path: join(root, 'missing') })],
  ['another file than the application has open', async (root) => ({ path: join(root, 'file'), inode: 1 })],
  [
    'a file that is shorter than it was',
    async (root) => ({ path: join(root, 'file'), offset: 5, length: 6 }),
  ],
  [
    'a folder',
    async (root) => {
      await mkdir(join(root, 'folder'));
      return { path: join(root, 'folder'), length: 0 };
    },
  ],
];
for (const [what, makeTarget] of refused) {
  test(`${what} is left to the application, which reads it itself`, async (t) => {
    const { world, root, connection, thread } = await beginHandover(t);
    await offer(thread, await makeTarget(root));
    assert.equal((await world.gateway.nextFrame()).kind, RequestKind.fileRefused);
    thread.send('start', '200 OK\0Content-Type\0text/plain', 'read by hand');
    thread.send('end');
    await connection.readUntil('read by hand');
    await world.untilIdle(1);
    assert.equal(await countOpenFiles(root), 0);
  });
}

test('a client that left before: nothing is opened, the thread goes on', async (t) => {
  const { world, root, path, connection, thread } = await beginHandover(t);
  connection.reset();
  await eventually(() => assert.equal(world.requests[0]?.isAbandoned, true));
  await offer(thread, { path });
  assert.equal((await world.gateway.nextFrame()).kind, RequestKind.fileOpened);
  thread.send('end');
  await world.untilIdle(1);
  assert.equal(await countOpenFiles(root), 0);
});

test('a client that leaves while the file is sent closes it', async (t) => {
  const content = Buffer.alloc(30_000_000, 'x');
  const { world, root, path, connection, thread } = await beginHandover(t, content);
  connection.pause();
  await offer(thread, { path, length: content.length });
  await world.gateway.nextFrame();
  thread.send('end');
  await world.untilIdle(1);
  assert.equal(await countOpenFiles(root), 1);
  connection.reset();
  await eventually(async () => assert.equal(await countOpenFiles(root), 0));
});

test('a thread that dies after it has handed a file over takes nothing away from the client', async (t) => {
  const { world, path, connection, thread } = await beginHandover(t);
  await offer(thread, { path });
  await world.gateway.nextFrame();
  thread.die();
  await connection.readUntil(digits);
  assert.equal(connection.isOver, false);
  assert.deepEqual(world.lost, []);
});

test('a file that shrinks while it is sent cuts the client', async (t) => {
  const content = Buffer.alloc(30_000_000, 'x');
  const { world, path, connection, thread } = await beginHandover(t, content);
  connection.pause();
  await offer(thread, { path, length: content.length });
  await world.gateway.nextFrame();
  await writeFile(path, '');
  thread.send('end');
  connection.resume();
  const text = await connection.readToEnd();
  assert.ok(text.length < content.length);
});

for (const head of ['200 OK\0X-Bad\0a\u0001b', '200 OK\0Bad Name\0x', '99 Odd']) {
  test(`a head that HTTP cannot carry, ${JSON.stringify(head)}: 502, and the file is closed`, async (t) => {
    const { world, root, path, connection, thread } = await beginHandover(t);
    const warnings = collectWarnings(t);
    const facts = await stat(path);
    thread.send('file', head, [path, 0, 10, facts.dev, facts.ino].join('\0'));
    await world.gateway.nextFrame();
    thread.send('end');
    assert.match(await connection.readUntil('</html>'), /^HTTP\/1\.1 502 /);
    await world.untilIdle(1);
    await eventually(async () => assert.equal(await countOpenFiles(root), 0));
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(warnings, [], 'closed by us, not by the garbage collector');
  });
}
