import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Handler } from '../../../../src/front/exchange.js';
import { serveFront } from '../../../support/serve-front.js';

const echo: Handler = (exchange) => {
  exchange.request.resume().once('end', () => exchange.respond(200, [], `[${exchange.path}]`));
  return true;
};
const ignore: Handler = (exchange) => {
  exchange.respond(200, [], `[${exchange.path}]`);
  return true;
};
const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: h\r\n\r\n`;
const last = 'GET /last HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n';
const bad = 'GET  /bad HTTP/1.1\r\nHost: h\r\n\r\n';
const measured = `POST /m HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nGET / HTT`;
const chunked = `POST /c HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n9;x=y\r\nGET / HTT\r\n0\r\nX: y\r\n\r\n`;
const good = [get('/a'), `\r\n${get('/b')}`, measured, chunked, get('/d'), chunked, chunked, measured];

function statuses(text: string): number[] {
  return [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));
}

for (const handler of [echo, ignore]) {
  for (const size of [1, 2, 3, 5, 17, 64, 100_000]) {
    test(`requests that arrive in pieces of ${size} bytes, ${handler.name}`, async (t) => {
      const served = await serveFront(t, [handler]);
      const connection = await served.connect();
      const bytes = good.join('') + last;
      for (let at = 0; at < bytes.length; at += size) {
        connection.send(bytes.slice(at, at + size));
        if (size < 64) await new Promise((resolve) => setImmediate(resolve));
      }
      const text = await connection.readToEnd();
      assert.deepEqual(
        [...text.matchAll(/\[\/(\w+)\]/g)].map(([, path]) => path),
        ['a', 'b', 'm', 'c', 'd', 'c', 'c', 'm', 'last'],
      );
    });
  }
}

for (const before of ['', ...good]) {
  for (const size of [1, 7, 100_000]) {
    test(`two spaces after ${JSON.stringify(before.slice(0, 24))}, in pieces of ${size} bytes`, async (t) => {
      const served = await serveFront(t, [echo]);
      const connection = await served.connect();
      const bytes = before + bad + last;
      for (let at = 0; at < bytes.length; at += size) {
        connection.send(bytes.slice(at, at + size));
        await new Promise((resolve) => setImmediate(resolve));
      }
      const text = await connection.readToEnd();
      assert.deepEqual(statuses(text), before === '' ? [400] : [200, 400]);
      assert.doesNotMatch(text, /last|bad\]/);
    });
  }
}

const lines = [
  'GET  / HTTP/1.1',
  'GET /  HTTP/1.1',
  'GET / RTSP/1.0',
  'OPTIONS / RTSP/1.0',
  'GET / ICE/1.0',
  'SOURCE / ICE/1.0',
  'GET /\tHTTP/1.1',
];
for (const line of lines) {
  test(`the line ${JSON.stringify(line)}`, async (t) => {
    const served = await serveFront(t, [echo]);
    const text = await served.exchange(`${line}\r\nHost: h\r\n\r\n${last}`);
    assert.match(text, /^HTTP\/1\.1 400 Bad Request\r\n[\s\S]*\r\n\r\n400 Bad Request\n.+\n$/);
    assert.deepEqual(statuses(text), [400]);
  });
}

for (const before of ['', get('/a')]) {
  for (const size of [1, 3, 100_000]) {
    for (const empty of ['\r\n', '\r']) {
      const name = `${JSON.stringify(empty)} without end ${before === '' ? 'at first' : 'behind a request'}`;
      test(`${name}, in pieces of ${size} bytes`, async (t) => {
        const served = await serveFront(t, [echo]);
        const connection = await served.connect();
        // No request line follows: what waits for one must not be kept.
        const bytes = before + empty.repeat(20);
        for (let at = 0; at < bytes.length; at += size) {
          connection.send(bytes.slice(at, at + size));
          await new Promise((resolve) => setImmediate(resolve));
        }
        const text = await connection.readUntil(/connection: close/i, 20_000);
        // Where the answer before is under way, the connection ends with it.
        assert.deepEqual(statuses(text), before === '' ? [400] : [200, 400].slice(0, statuses(text).length));
      });
    }
  }
}
