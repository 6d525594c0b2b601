import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import {
  closeSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { eventually } from '../support/eventually.js';
import { forEachMode } from '../support/for-each-mode.js';
import { ask, openAnswer } from '../support/http-client.js';
import { peakMemory } from '../support/peak-memory.js';
import { openFiles } from '../support/processes.js';
import { startEasyserve } from '../support/start-easyserve.js';

const megabyte = 1024 * 1024;

interface Download {
  readonly bytes: number;
  readonly sha256: string;
}

async function readAll(response: IncomingMessage, onPiece = () => {}): Promise<Download> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const piece of response as AsyncIterable<Buffer>) {
    onPiece();
    hash.update(piece);
    bytes += piece.length;
  }
  return { bytes, sha256: hash.digest('hex') };
}

/** 100 MB of noise that repeats itself; gives what a download of it must come to. */
function writeLargeFile(path: string): Download {
  const block = randomBytes(megabyte);
  const hash = createHash('sha256');
  const file = openSync(path, 'w');
  for (let written = 0; written < 100; written += 1) {
    writeSync(file, block);
    hash.update(block);
  }
  closeSync(file);
  return { bytes: 100 * megabyte, sha256: hash.digest('hex') };
}

/** What the view `bytes` answers. */
function patternOf(bytes: number): Download {
  const block = Buffer.from(Array.from({ length: megabyte }, (_, index) => index & 0xff));
  const hash = createHash('sha256');
  for (let left = bytes; left > 0; left -= block.length) hash.update(block.subarray(0, left));
  return { bytes, sha256: hash.digest('hex') };
}

forEachMode(['single', 'cluster'], (mode, testIn) => {
  /** With one thread each, every client that holds a thread would be noticed. */
  const threads = mode === 'single' ? 1 : 2;

  testIn('downloads', async (t) => {
    const site = await startEasyserve(t, { fixture: 'django-site', mode, args: ['--threads', '1'] });
    const large = writeLargeFile(join(site.dir, 'large.bin'));
    const [front = 0] = await site.sitePids();

    const expectFlat = async (path: string, expected: Download) => {
      const { result, grownBytes } = await peakMemory(front, async (weigh) =>
        readAll(await openAnswer(site.url, path, { timeoutMs: 60_000 }), weigh),
      );
      assert.deepEqual(result, expected);
      t.diagnostic(`${path}: the front grew by ${Math.round(grownBytes / megabyte)} MB`);
      assert.ok(grownBytes < 60 * megabyte, `the front grew by ${grownBytes} bytes`);
    };

    await t.test('100 MB of a FileResponse', () => expectFlat('/file?path=large.bin', large));

    await t.test('100 MB of a StreamingHttpResponse', async () => {
      const size = 100 * megabyte;
      await expectFlat(`/bytes?size=${size}`, patternOf(size));
      await expectFlat(`/bytes?size=${size}&length=0`, patternOf(size));
    });

    await t.test('slow readers of a FileResponse hold no thread', async () => {
      const slow: IncomingMessage[] = [];
      for (let client = 0; client <= threads; client += 1) {
        slow.push(await openAnswer(site.url, '/file?path=large.bin', { timeoutMs: 60_000 }));
      }
      for (let other = 0; other < 10; other += 1) {
        assert.equal((await ask(site.url, '/version')).status, 200);
      }
      const [first, ...others] = slow;
      assert.ok(first);
      assert.deepEqual(await readAll(first), large);
      for (const response of others) response.destroy();
    });

    await t.test('slow readers of an answer that fits into the buffer hold no thread', async () => {
      const size = 900_000;
      const slow: IncomingMessage[] = [];
      for (let client = 0; client <= threads; client += 1) {
        slow.push(await openAnswer(site.url, `/bytes?size=${size}`));
      }
      assert.equal((await ask(site.url, '/version')).status, 200);
      for (const response of slow) assert.deepEqual(await readAll(response), patternOf(size));
    });

    await t.test('a FileResponse from the front is what Django would have sent', async () => {
      const path = 'journal/static/journal/paper.png';
      const { status, headers, body } = await ask(site.url, `/file?path=${path}`);
      assert.equal(status, 200);
      assert.deepEqual(body, readFileSync(join(site.dir, path)));
      assert.equal(headers['content-type'], 'image/png');
      assert.equal(headers['content-length'], String(body.length));
      assert.equal(headers['content-disposition'], 'inline; filename="paper.png"');
      assert.ok(headers['x-request-id']);
      const head = await ask(site.url, `/file?path=${path}`, { method: 'HEAD' });
      assert.equal(head.headers['content-length'], String(body.length));
      assert.equal(head.body.length, 0);
    });

    await t.test('an empty file, and one that is removed while it is sent', async () => {
      writeFileSync(join(site.dir, 'empty.bin'), '');
      const empty = await ask(site.url, '/file?path=empty.bin');
      assert.equal(empty.status, 200);
      assert.equal(empty.body.length, 0);

      const response = await openAnswer(site.url, '/file?path=large.bin', { timeoutMs: 60_000 });
      rmSync(join(site.dir, 'large.bin'));
      assert.deepEqual(await readAll(response), large);
    });

    await t.test('files of clients that have gone are closed', async () => {
      writeLargeFile(join(site.dir, 'large.bin'));
      const before = openFiles(front);
      for (let client = 0; client < 20; client += 1) {
        const response = await openAnswer(site.url, '/file?path=large.bin');
        response.destroy();
      }
      await eventually(() => assert.ok(openFiles(front) <= before, `${openFiles(front)} files are open`));
    });
  });

  testIn('files that the application names in a header', async (t) => {
    const site = await startEasyserve(t, {
      fixture: 'django-site',
      mode,
      args: ['--threads', '1'],
      prepare: (dir) => {
        const root = join(dir, 'protected');
        mkdirSync(root);
        writeFileSync(join(root, 'report 1.txt'), 'for members only');
        writeFileSync(join(dir, 'secret.txt'), 'TOP-SECRET');
        symlinkSync('../secret.txt', join(root, 'leak.txt'));
        const settings = { sendfileRoots: [root], accelRoots: { '/internal/': root } };
        writeFileSync(join(dir, 'easyserve.json'), JSON.stringify(settings));
      },
    });
    const root = join(site.dir, 'protected');
    const nameFile = (header: string, value: string, method = 'GET') => {
      const query = new URLSearchParams({ body: 'unwanted', header: `${header}:${value}` });
      query.append('header', 'Content-Type:text/x-report');
      return ask(site.url, `/respond?${query}`, { method });
    };
    const files: [header: string, value: string][] = [
      ['X-Sendfile', join(root, 'report 1.txt')],
      ['X-Accel-Redirect', '/internal/report%201.txt'],
    ];
    for (const [header, value] of files) {
      const answer = await nameFile(header, value);
      assert.equal(answer.status, 200, header);
      assert.equal(answer.text, 'for members only');
      assert.equal(answer.headers['content-type'], 'text/x-report');
      assert.equal(answer.headers['content-length'], '16');
      assert.equal(answer.headers[header.toLowerCase()], undefined);
      const head = await nameFile(header, value, 'HEAD');
      assert.equal(head.headers['content-length'], '16');
      assert.equal(head.body.length, 0);
    }
    const outside: [header: string, value: string][] = [
      ['X-Sendfile', join(site.dir, 'secret.txt')],
      ['X-Sendfile', join(root, 'leak.txt')],
      ['X-Sendfile', `${root}/../secret.txt`],
      ['X-Sendfile', root],
      ['X-Sendfile', 'protected/report 1.txt'],
      ['X-Accel-Redirect', '/internal/../secret.txt'],
      ['X-Accel-Redirect', '/internal/%2e%2e/secret.txt'],
      ['X-Accel-Redirect', '/internal/leak.txt'],
      ['X-Accel-Redirect', '/internal/%00'],
      ['X-Accel-Redirect', '/elsewhere/report%201.txt'],
    ];
    for (const [header, value] of outside) {
      const answer = await nameFile(header, value);
      assert.equal(answer.status, 404, `${header}: ${value}`);
      assert.doesNotMatch(answer.text, /SECRET|unwanted|members/);
    }
  });
});
