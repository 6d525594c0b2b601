import assert from 'node:assert/strict';
import fs from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Spool } from '../../../../src/front/buffers/spool.js';
import { BodyPace } from '../../../../src/front/upstream/body-pace.js';
import {
  announcedBytes,
  type BodyLimits,
  BodyRefused,
  type RequestBody,
  readBody,
} from '../../../../src/front/upstream/request-body.js';
import { eventually } from '../../../support/eventually.js';
import { FakeClock } from '../../../support/fake-clock.js';
import { makeFileTree } from '../../../support/file-tree.js';
import { makeSpool } from '../../../support/make-spool.js';
import type { RawConnection } from '../../../support/raw-connection.js';
import { RecordingLog } from '../../../support/recording-log.js';
import { serveFront } from '../../../support/serve-front.js';

const post = 'POST / HTTP/1.1\r\nHost: h\r\n';

interface Reading {
  readonly connection: RawConnection;
  readonly folder: string;
  readonly spool: Spool;
  readonly log: RecordingLog;
  /** What became of the body. */
  readonly outcome: Promise<RequestBody | BodyRefused>;
}

const pace = new BodyPace(new FakeClock(), { graceMs: 1000, minBytesPerSecond: 500 });

/** Sends the beginning of one request, and lets its body be read. */
async function read(
  t: TestContext,
  begin: string,
  changed: Partial<BodyLimits> = {},
  folderName = '',
): Promise<Reading> {
  const limits = { maxBodyBytes: 1000, bodyMemoryBytes: 100, bodyIdleTimeoutMs: 60_000, ...changed };
  const folder = await makeFileTree(t, {});
  const log = new RecordingLog();
  const spool = makeSpool(join(folder, folderName), log);
  let settle: (outcome: RequestBody | BodyRefused) => void = () => {};
  const outcome = new Promise<RequestBody | BodyRefused>((resolve) => {
    settle = resolve;
  });
  const served = await serveFront(t, [
    (exchange) => {
      readBody(exchange.request, limits, { spool, pace }).then(
        (body) => {
          settle(body);
          exchange.respond(204, []);
        },
        (refusal: BodyRefused) => {
          settle(refusal);
          exchange.respond(400, ['Connection', 'close']);
        },
      );
      return true;
    },
  ]);
  const connection = await served.connect();
  connection.send(begin);
  return { connection, folder, spool, log, outcome };
}

async function assertRefused({ outcome, folder }: Reading, reason: string): Promise<void> {
  const refusal = await outcome;
  assert.ok(refusal instanceof BodyRefused, JSON.stringify(refusal));
  assert.equal(refusal.reason, reason);
  assert.deepEqual(await readdir(folder), []);
}

async function bytesOf({ outcome }: Reading): Promise<string> {
  const body = await outcome;
  assert.ok(!(body instanceof BodyRefused) && body.kind === 'memory', JSON.stringify(body));
  return body.bytes.toString();
}

test('a small body stays in memory', async (t) => {
  const reading = await read(t, `${post}Content-Length: 5\r\n\r\nhello`);
  assert.equal(await bytesOf(reading), 'hello');
  assert.deepEqual(await readdir(reading.folder), []);
});

test('a chunked body, in pieces', async (t) => {
  const reading = await read(t, `${post}Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n`);
  assert.equal(await bytesOf(reading), 'hello');
});

test('a chunked body of nothing', async (t) => {
  assert.equal(await bytesOf(await read(t, `${post}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`)), '');
});

test('a body as large as memory may hold stays there', async (t) => {
  assert.equal(
    (await bytesOf(await read(t, `${post}Content-Length: 100\r\n\r\n${'x'.repeat(100)}`))).length,
    100,
  );
});

test('a larger one goes into a file that only this user can read', async (t) => {
  const content = 'abcdefghij'.repeat(50);
  const { outcome, spool, folder } = await read(t, `${post}Content-Length: 500\r\n\r\n${content}`);
  const body = await outcome;
  assert.ok(!(body instanceof BodyRefused) && body.kind === 'spooled');
  assert.equal(body.length, 500);
  assert.equal(await readFile(body.path, 'utf8'), content);
  assert.equal((await stat(body.path)).mode & 0o777, 0o600);
  await spool.release(body);
  assert.deepEqual(await readdir(folder), []);
});

test('a body that grows beyond memory in pieces is whole in the file', async (t) => {
  const chunk = (text: string) => `${text.length.toString(16)}\r\n${text}\r\n`;
  const reading = await read(t, `${post}Transfer-Encoding: chunked\r\n\r\n${chunk('a'.repeat(60))}`);
  reading.connection.send(chunk('b'.repeat(60)));
  await eventually(async () => assert.equal((await readdir(reading.folder)).length, 1));
  reading.connection.send(`${chunk('c'.repeat(60))}0\r\n\r\n`);
  const body = await reading.outcome;
  assert.ok(!(body instanceof BodyRefused) && body.kind === 'spooled');
  const expected = ['a', 'b', 'c'].map((letter) => letter.repeat(60)).join('');
  assert.equal(await readFile(body.path, 'utf8'), expected);
});

test('several megabytes reach the disk no faster than it takes them', async (t) => {
  const content = 'x'.repeat(8_000_000);
  const limits = { maxBodyBytes: 1e7 };
  const reading = await read(t, `${post}Content-Length: ${content.length}\r\n\r\n${content}`, limits);
  const body = await reading.outcome;
  assert.ok(!(body instanceof BodyRefused) && body.kind === 'spooled');
  assert.equal((await stat(body.path)).size, content.length);
});

test('a limit of 0 for memory spools every body', async (t) => {
  const { outcome } = await read(t, `${post}Content-Length: 1\r\n\r\nx`, { bodyMemoryBytes: 0 });
  const body = await outcome;
  assert.ok(!(body instanceof BodyRefused) && body.kind === 'spooled');
});

test('a chunked body that grows too large is refused as soon as it does', async (t) => {
  const reading = await read(t, `${post}Transfer-Encoding: chunked\r\n\r\n3e9\r\n${'x'.repeat(1001)}`);
  await assertRefused(reading, 'too-large');
  assert.match(await reading.connection.readToEnd(), /^HTTP\/1\.1 400/);
});

test('one that is too large and was not spooled yet', async (t) => {
  const limits = { maxBodyBytes: 10 };
  await assertRefused(
    await read(t, `${post}Content-Length: 11\r\n\r\n${'x'.repeat(11)}`, limits),
    'too-large',
  );
});

for (const [where, sent] of [
  ['in memory', 10],
  ['in a file', 200],
] as const) {
  test(`a client that stops in the middle, ${where}`, async (t) => {
    const limits = { bodyIdleTimeoutMs: 60 };
    const reading = await read(t, `${post}Content-Length: 900\r\n\r\n${'x'.repeat(sent)}`, limits);
    await assertRefused(reading, 'too-slow');
    assert.match(await reading.connection.readToEnd(), /^HTTP\/1\.1 400/);
  });

  test(`a client that goes away in the middle, ${where}`, async (t) => {
    const reading = await read(t, `${post}Content-Length: 900\r\n\r\n${'x'.repeat(sent)}`);
    if (sent > 100) await eventually(async () => assert.equal((await readdir(reading.folder)).length, 1));
    reading.connection.reset();
    await assertRefused(reading, 'cut');
  });

  test(`a client that closes properly in the middle, ${where}`, async (t) => {
    const reading = await read(t, `${post}Content-Length: 900\r\n\r\n${'x'.repeat(sent)}`);
    reading.connection.halfClose();
    await assertRefused(reading, 'cut');
  });
}

test('a bad chunk in the middle', async (t) => {
  const chunk = `c8\r\n${'x'.repeat(200)}\r\n`;
  const reading = await read(t, `${post}Transfer-Encoding: chunked\r\n\r\n${chunk}`);
  await eventually(async () => assert.equal((await readdir(reading.folder)).length, 1));
  reading.connection.send('nonsense\r\n');
  assert.match(await reading.connection.readToEnd(), /^HTTP\/1\.1 400 Bad Request\r\n/);
  await assertRefused(reading, 'cut');
});

test('a body that pauses, but not for too long, is read', async (t) => {
  const reading = await read(t, `${post}Content-Length: 4\r\n\r\nab`, { bodyIdleTimeoutMs: 10_000 });
  reading.connection.send('cd');
  assert.equal(await bytesOf(reading), 'abcd');
});

test('a folder that is not there', async (t) => {
  const begin = `${post}Content-Length: 500\r\n\r\n${'x'.repeat(500)}`;
  await assertRefused(await read(t, begin, {}, 'nowhere'), 'no-space');
});

test('a disk that is full', async (t) => {
  const { createWriteStream } = fs;
  // Opening /dev/full succeeds, and writing to it fails as a full disk does (full(4)).
  t.mock.method(fs, 'createWriteStream', () => createWriteStream('/dev/full', { flags: 'w' }));
  syncBuiltinESMExports();
  t.after(() => {
    t.mock.restoreAll();
    syncBuiltinESMExports();
  });
  const removed: string[] = [];
  class CautiousSpool extends Spool {
    override async remove(path: string): Promise<void> {
      removed.push(path);
    }
  }
  const spool = new CautiousSpool(
    '/nowhere',
    makeSpool('/nowhere', new RecordingLog()).budget,
    new RecordingLog(),
  );
  const served = await serveFront(t, [
    (exchange) => {
      const limits = { maxBodyBytes: 1e6, bodyMemoryBytes: 10, bodyIdleTimeoutMs: 1000 };
      readBody(exchange.request, limits, { spool, pace }).catch((refusal: BodyRefused) =>
        exchange.respond(507, [], `${refusal.reason} ${refusal.cause}`),
      );
      return true;
    },
  ]);
  const text = await served.exchange(
    `${post}Connection: close\r\nContent-Length: 5000\r\n\r\n${'x'.repeat(5000)}`,
  );
  assert.match(text, /^HTTP\/1\.1 507[\s\S]*no-space Error: ENOSPC/);
  assert.deepEqual(removed, ['/dev/full']);
});

test('a file that the gateway has removed already is no error; one that cannot be removed is', async (t) => {
  const folder = await makeFileTree(t, { 'full/inside': '' });
  const log = new RecordingLog();
  const spool = makeSpool(folder, log);
  await spool.release({ kind: 'spooled', path: join(folder, 'gone'), length: 1 });
  await spool.release({ kind: 'none' });
  assert.deepEqual(log.records, []);
  await spool.release({ kind: 'spooled', path: join(folder, 'full'), length: 1 });
  assert.equal(log.all('spool-not-removed').length, 1);
});

test('every file has a name of its own, that begins with our pid', async (t) => {
  const folder = await makeFileTree(t, {});
  const spool = makeSpool(folder, new RecordingLog());
  const [one, other] = [spool.nextPath(), spool.nextPath()];
  assert.notEqual(one, other);
  assert.ok(one.startsWith(join(folder, `${process.pid}-`)));
});

test('what a request announces', async (t) => {
  const announced: (number | undefined)[] = [];
  const served = await serveFront(t, [
    (exchange) => {
      announced.push(announcedBytes(exchange.request));
      exchange.respond(204, []);
      return true;
    },
  ]);
  await served.exchange(
    [
      'GET / HTTP/1.1\r\nHost: h\r\n\r\n',
      `${post}Content-Length: 3\r\n\r\nabc`,
      `${post}Content-Length: 0\r\n\r\n`,
      `${post}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      'GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n',
    ].join(''),
  );
  assert.deepEqual(announced, [0, 3, 0, undefined, 0]);
});
