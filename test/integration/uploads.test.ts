import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { Easyserve } from '../support/easyserve.js';
import { eventually } from '../support/eventually.js';
import { forEachMode } from '../support/for-each-mode.js';
import { ask } from '../support/http-client.js';
import { journalAdmin } from '../support/journal-database.js';
import { peakMemory } from '../support/peak-memory.js';
import { ProbeRecords } from '../support/probe-records.js';
import { type RawConnection, rawConnection } from '../support/raw-connection.js';
import { startEasyserve } from '../support/start-easyserve.js';
import { Visitor } from '../support/visitor.js';

const megabyte = 1024 * 1024;
const block = randomBytes(256 * 1024);
const blocksPerMegabyte = megabyte / block.length;

function* bodyOf(megabytes: number, onBlock = () => {}): Generator<Buffer> {
  for (let sent = 0; sent < megabytes * blocksPerMegabyte; sent += 1) {
    onBlock();
    yield block;
  }
}

function sha256(pieces: Iterable<Uint8Array>): string {
  const hash = createHash('sha256');
  for (const piece of pieces) hash.update(piece);
  return hash.digest('hex');
}

interface Echo {
  readonly length: number;
  readonly sha256: string;
}

async function upload(
  site: Easyserve,
  megabytes: number,
  isChunked: boolean,
  onBlock?: () => void,
): Promise<Echo> {
  const headers = isChunked ? {} : { 'Content-Length': megabytes * megabyte };
  const body = bodyOf(megabytes, onBlock);
  const answer = await ask(site.url, '/echo', { method: 'POST', headers, body, timeoutMs: 60_000 });
  assert.equal(answer.status, 200, answer.text);
  return JSON.parse(answer.text) as Echo;
}

/** Request bodies that wait in files at this moment. */
function spooled(site: Easyserve): string[] {
  const folder = join(site.dir, '.easyserve', 'spool');
  return existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : [];
}

async function begin(t: TestContext, site: Easyserve, head: string): Promise<RawConnection> {
  const connection = await rawConnection(t, site.url);
  connection.send(`${head}\r\nHost: localhost\r\n\r\n`);
  return connection;
}

forEachMode(['single', 'cluster'], (mode, testIn) => {
  /** With one thread each, every client that holds a thread would be noticed. */
  const threads = mode === 'single' ? 1 : 2;

  testIn('uploads', async (t) => {
    const site = await startEasyserve(t, {
      fixture: 'django-site',
      mode,
      args: ['--threads', '1'],
      settings: { streamUploads: ['/tally'], bodyMemoryBytes: 16_384 },
    });
    const records = new ProbeRecords(site.dir);
    const [front = 0] = await site.sitePids();

    await t.test('a form with a file: its URL answers the same bytes', async () => {
      const visitor = new Visitor(site.url);
      await visitor.submit('/admin/login/', journalAdmin);
      const picture = randomBytes(300_000);
      const added = await visitor.submit('/photos/new/', {
        title: 'Grüße',
        taken_on: '2026-05-04',
        picture: new File([picture], 'größer 1.png', { type: 'image/png' }),
      });
      assert.equal(added.status, 302, added.text);
      const page = await visitor.get(added.headers.location ?? '');
      assert.match(page.text, /“Grüße” is in the journal/);
      const [, url = ''] = /<img src="(\/media\/photos\/[^"]+)" alt="Grüße">/.exec(page.text) ?? [];
      const media = await ask(site.url, url);
      assert.equal(media.status, 200, url);
      assert.equal(media.headers['content-type'], 'image/png');
      assert.deepEqual(media.body, picture);
      const download = await visitor.get(`${added.headers.location}download/`);
      assert.match(download.headers['content-disposition'] ?? '', /^attachment; filename/);
      assert.deepEqual(download.body, picture);
    });

    for (const isChunked of [false, true]) {
      await t.test(`100 MB, ${isChunked ? 'chunked' : 'of announced length'}`, async () => {
        await upload(site, 5, isChunked);
        let spooledBytes = 0;
        const { result, grownBytes } = await peakMemory(front, (weigh) =>
          upload(site, 100, isChunked, () => {
            weigh();
            for (const path of spooled(site)) spooledBytes = Math.max(spooledBytes, sizeOf(path));
          }),
        );
        assert.equal(result.length, 100 * megabyte);
        assert.equal(result.sha256, sha256(bodyOf(100)));
        t.diagnostic(`the front grew by ${Math.round(grownBytes / megabyte)} MB`);
        assert.ok(grownBytes < 60 * megabyte, `the front grew by ${grownBytes} bytes`);
        assert.ok(spooledBytes > 10 * megabyte, `only ${spooledBytes} bytes were spooled`);
        await eventually(() => assert.deepEqual(spooled(site), []));
      });
    }

    await t.test('slow clients hold no thread while they send', async (t) => {
      const body = randomBytes(100_000);
      const slow: RawConnection[] = [];
      for (let client = 0; client <= threads; client += 1) {
        const connection = await begin(t, site, 'POST /echo HTTP/1.1\r\nContent-Length: 100000');
        connection.send(body.subarray(0, 60_000));
        slow.push(connection);
      }
      assert.equal((await ask(site.url, '/version')).status, 200);
      for (const connection of slow) connection.send(body.subarray(60_000));
      for (const connection of slow) await connection.readUntil(`"sha256": "${sha256([body])}"`);
    });

    await t.test('a client that leaves in the middle leaves nothing behind', async (t) => {
      const connection = await begin(t, site, 'POST /echo?left HTTP/1.1\r\nContent-Length: 10000000');
      connection.send(randomBytes(megabyte));
      await eventually(() => assert.equal(spooled(site).length, 1));
      connection.reset();
      await eventually(() => assert.deepEqual(spooled(site), []));
      const record = await site.waitFor('access', ({ path }) => path === '/echo?left');
      assert.equal(record.status, 499);
    });

    await t.test('a body in odd chunks, with extensions and trailers', async (t) => {
      const head = 'POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\nTrailer: X-End';
      const connection = await begin(t, site, head);
      connection.send('3;name=value\r\nabc\r\n');
      connection.send('00000A\r\n0123456789\r\n1\r\n');
      connection.send('!\r\n0\r\nX-End: yes\r\n\r\n');
      const text = await connection.readUntil(/"pad": ""\}/);
      assert.match(text, /"length": 14,/);
      assert.ok(text.includes(sha256([Buffer.from('abc0123456789!')])));
    });

    await t.test('Expect: 100-continue is answered before the body comes', async (t) => {
      const head = 'POST /echo HTTP/1.1\r\nContent-Length: 5\r\nExpect: 100-continue';
      const connection = await begin(t, site, head);
      assert.equal(await connection.readUntil('\r\n\r\n'), 'HTTP/1.1 100 Continue\r\n\r\n');
      connection.forget();
      connection.send('hello');
      assert.match(await connection.readUntil(/"pad": ""\}/), /^HTTP\/1\.1 200 OK\r\n[\s\S]*"length": 5,/);
    });

    await t.test('streamUploads: the application reads while the body arrives', async (t) => {
      const head = 'POST /tally?name=halves HTTP/1.1\r\nContent-Length: 65536';
      const connection = await begin(t, site, head);
      connection.send(randomBytes(32_768));
      await records.untilSaid('halves', '32768');
      connection.send(randomBytes(32_768));
      await connection.readUntil('"length": 65536}');
    });

    await t.test('streamUploads: a large body, faster than the application reads it', async () => {
      const headers = { 'Content-Length': 20 * megabyte };
      const { result, grownBytes } = await peakMemory(front, (weigh) => {
        const body = bodyOf(20, weigh);
        return ask(site.url, '/tally?name=fast&piece=65536', { method: 'POST', headers, body });
      });
      assert.equal(JSON.parse(result.text).length, 20 * megabyte);
      assert.ok(grownBytes < 60 * megabyte, `the front grew by ${grownBytes} bytes`);
    });

    await t.test('streamUploads: a chunked body arrives too, though no length is known', async () => {
      const chunked = { method: 'POST', body: bodyOf(1) };
      const answer = await ask(site.url, '/tally?name=chunked&piece=65536', chunked);
      assert.equal(JSON.parse(answer.text).length, megabyte);
    });

    await t.test('streamUploads: a client that leaves frees the thread', async (t) => {
      for (let client = 0; client <= threads; client += 1) {
        const name = `leaving-${client}`;
        const head = `POST /tally?name=${name} HTTP/1.1\r\nContent-Length: 65536`;
        const connection = await begin(t, site, head);
        connection.send(randomBytes(32_768));
        await records.untilSaid(name, '32768');
        connection.reset();
      }
      assert.equal((await ask(site.url, '/version')).status, 200);
    });

    await t.test('an upload that nobody reads does not disturb the next request', async (t) => {
      for (const path of ['/version', '/tally/nowhere']) {
        const connection = await begin(t, site, `POST ${path} HTTP/1.1\r\nContent-Length: 200000`);
        connection.send(randomBytes(200_000));
        connection.send('GET /echo?next HTTP/1.1\r\nHost: localhost\r\n\r\n');
        await connection.readUntil('"query": "next"');
      }
    });

    await t.test('many uploads at once are not mixed up', async () => {
      const one = async (number: number) => {
        const body = randomBytes((number * 2_731) % 50_000);
        const answer = await ask(site.url, `/echo?${number}`, { method: 'POST', body });
        const echo = JSON.parse(answer.text);
        assert.equal(echo.query, String(number));
        assert.equal(echo.length, body.length);
        assert.equal(echo.sha256, sha256([body]));
      };
      for (let from = 0; from < 300; from += 30) {
        await Promise.all(Array.from({ length: 30 }, (_, index) => one(from + index)));
      }
    });

    await t.test('no body is left in the spool', () => eventually(() => assert.deepEqual(spooled(site), [])));
  });

  testIn('uploads that are refused', async (t) => {
    const site = await startEasyserve(t, {
      fixture: 'django-site',
      mode,
      args: ['--threads', '1'],
      settings: {
        maxBodyBytes: megabyte,
        bodyMemoryBytes: 65_536,
        bodyIdleTimeoutMs: 400,
        streamUploads: ['/tally'],
      },
    });
    const records = new ProbeRecords(site.dir);

    for (const path of ['/echo', '/tally?name=refused&piece=65536']) {
      await t.test(`${path}: too large, as it says itself`, async () => {
        const answer = await ask(site.url, path, { method: 'POST', body: randomBytes(megabyte + 1) });
        assert.equal(answer.status, 413);
        assert.match(answer.text, /larger than this site accepts \(1 MiB\)/);
      });

      await t.test(`${path}: too large, as it turns out`, async () => {
        const answer = await ask(site.url, path, { method: 'POST', body: bodyOf(3) });
        assert.equal(answer.status, 413);
        assert.match(answer.text, /larger than this site accepts \(1 MiB\)/);
        await eventually(() => assert.deepEqual(spooled(site), []));
      });

      await t.test(`${path}: the largest that is not too large`, async () => {
        const body = randomBytes(megabyte);
        assert.equal((await ask(site.url, path, { method: 'POST', body })).status, 200);
      });

      await t.test(`${path}: a client that sends on regardless gets to read the answer`, async (t) => {
        const connection = await begin(t, site, `POST ${path} HTTP/1.1\r\nContent-Length: 20000000`);
        connection.send(Buffer.alloc(20_000_000));
        assert.match(await connection.readToEnd(), /^HTTP\/1\.1 413 /);
      });

      await t.test(`${path}: no 100 Continue for a body that is not wanted`, async (t) => {
        const head = `POST ${path} HTTP/1.1\r\nContent-Length: 2000000\r\nExpect: 100-continue`;
        const connection = await begin(t, site, head);
        assert.match(await connection.readUntil('</html>'), /^HTTP\/1\.1 413 /);
      });

      await t.test(`${path}: a client that stops sending`, async (t) => {
        for (let client = 0; client <= threads; client += 1) {
          const connection = await begin(t, site, `POST ${path} HTTP/1.1\r\nContent-Length: 200000`);
          connection.send(randomBytes(100_000));
          assert.match(await connection.readToEnd(), /^HTTP\/1\.1 408 /);
        }
        assert.equal((await ask(site.url, '/version')).status, 200);
        await eventually(() => assert.deepEqual(spooled(site), []));
      });
    }

    await t.test('a client that is slow, but goes on, is not refused', async (t) => {
      const body = randomBytes(megabyte);
      const connection = await begin(
        t,
        site,
        `POST /tally?name=steady HTTP/1.1\r\nContent-Length: ${megabyte}`,
      );
      const beganAt = performance.now();
      let sent = 0;
      // Three times as long as a pause may be.
      while (performance.now() - beganAt < 1200) {
        connection.send(body.subarray(sent, sent + 1024));
        sent += 1024;
        await records.untilSaid('steady', String(sent));
      }
      connection.send(body.subarray(sent));
      await connection.readUntil(`"length": ${megabyte}}`);
    });
  });
});

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
