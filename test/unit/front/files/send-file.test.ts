import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type FileHandle, mkdtemp, open, rm, truncate, writeFile } from 'node:fs/promises';
import http from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { PieceBuffers } from '../../../../src/front/files/piece-buffers.js';
import { FileTransfer } from '../../../../src/front/files/send-file.js';
import { makeBudget } from '../../../support/make-spool.js';

const MIB = 1024 * 1024;

interface Outcome {
  readonly result: PromiseSettledResult<boolean>;
  readonly sentBytes: number;
}

/** A server that sends `length` bytes of a file from `start` on, and then says how that went. */
async function serve(
  t: TestContext,
  content: Buffer,
  part: { start?: number; length?: number; before?: (path: string) => Promise<void> } = {},
) {
  const { start = 0, length = content.length } = part;
  const folder = await mkdtemp(join(tmpdir(), 'easyserve-'));
  const path = join(folder, 'file');
  await writeFile(path, content);
  const handles: FileHandle[] = [];
  const buffers = new PieceBuffers(makeBudget());
  let tell: (outcome: Outcome) => void = () => {};
  const outcome = new Promise<Outcome>((resolve) => {
    tell = resolve;
  });
  const server = http.createServer(async (_request, response) => {
    const handle = await open(path);
    handles.push(handle);
    await part.before?.(path);
    response.writeHead(200, { 'Content-Length': length });
    let sentBytes = 0;
    const transfer = new FileTransfer(response, { handle, start, length }, buffers, (bytes) => {
      sentBytes += bytes;
    });
    const [result] = await Promise.allSettled([transfer.run()]);
    tell({ result, sentBytes });
    if (result.status === 'fulfilled') response.end();
    else response.destroy();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(async () => {
    server.close();
    server.closeAllConnections();
    for (const handle of handles) await handle.close();
    await rm(folder, { recursive: true });
  });
  const { port } = server.address() as { port: number };
  return { port, outcome };
}

async function get(port: number): Promise<Buffer> {
  const answer = await fetch(`http://127.0.0.1:${port}/`);
  return Buffer.from(await answer.arrayBuffer());
}

test('every byte arrives, of whatever length the part is', async (t) => {
  for (const length of [1, 64 * 1024, 64 * 1024 + 1, 256 * 1024, 256 * 1024 + 1, 512 * 1024, 3 * MIB + 7]) {
    const content = randomBytes(length + 30);
    const { port, outcome } = await serve(t, content, { start: 10, length });
    assert.deepEqual(await get(port), content.subarray(10, 10 + length), `${length} bytes`);
    assert.deepEqual(await outcome, { result: { status: 'fulfilled', value: true }, sentBytes: length });
  }
});

test('more downloads at a time than there are large buffers', async (t) => {
  const content = randomBytes(MIB);
  const { port } = await serve(t, content);
  const answers = await Promise.all(Array.from({ length: 80 }, () => get(port)));
  for (const answer of answers) assert.ok(answer.equals(content));
});

test('a client that takes nothing is not read ahead of, and one that leaves ends the transfer', async (t) => {
  const content = randomBytes(32 * MIB);
  const { port, outcome } = await serve(t, content);
  const client = connect(port, '127.0.0.1');
  client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  await once(client, 'readable');
  client.destroy();
  const { result, sentBytes } = await outcome;
  assert.deepEqual(result, { status: 'fulfilled', value: false });
  assert.ok(sentBytes < content.length / 2, `${sentBytes} bytes were handed over`);
});

test('a file that has become shorter is told of', async (t) => {
  const { port, outcome } = await serve(t, randomBytes(MIB), {
    before: (path) => truncate(path, 300_000),
  });
  await assert.rejects(get(port));
  const { result } = await outcome;
  assert.equal(result.status, 'rejected');
  assert.match(String((result as PromiseRejectedResult).reason), /the file ends at 300000, not at 1048576/);
});
