import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readClientHello } from '../../../../../src/front/listen/tls/client-hello.js';
import { captureHello } from '../../../../support/serve-tls.js';

/** A length in so many bytes before the bytes. */
function vector(lengthBytes: number, ...parts: readonly (Buffer | string)[]): Buffer {
  const content = Buffer.concat(
    parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : part)),
  );
  const length = Buffer.alloc(lengthBytes);
  length.writeUIntBE(content.length, 0, lengthBytes);
  return Buffer.concat([length, content]);
}

const number = (value: number): Buffer => Buffer.of(value >> 8, value & 0xff);
const extension = (type: number, data: Buffer): Buffer => Buffer.concat([number(type), vector(2, data)]);
const serverName = (name: string): Buffer => extension(0, vector(2, Buffer.of(0), vector(2, name)));
const alpn = (...names: string[]): Buffer =>
  extension(16, vector(2, ...names.map((name) => vector(1, name))));

const beforeExtensions = Buffer.concat([
  number(0x0303),
  Buffer.alloc(32, 7),
  vector(1),
  vector(2, number(0x1301)),
  vector(1, Buffer.of(0)),
]);

function message(body: Buffer, type = 1): Buffer {
  return Buffer.concat([Buffer.of(type), vector(3, body)]);
}

function record(content: Buffer): Buffer {
  return Buffer.concat([Buffer.of(22, 3, 1), vector(2, content)]);
}

function hello(...extensions: Buffer[]): Buffer {
  return record(message(Buffer.concat([beforeExtensions, vector(2, ...extensions)])));
}

const nothing = { serverName: undefined, protocols: [] };

test("what Node's own client says is understood", async () => {
  const asked = { servername: 'www.Example.test', ALPNProtocols: ['h2', 'http/1.1'] };
  const bytes = await captureHello(asked);
  assert.deepEqual(readClientHello(bytes), { serverName: 'www.example.test', protocols: ['h2', 'http/1.1'] });
  assert.deepEqual(readClientHello(await captureHello()), nothing);
});

test('every beginning of a hello is incomplete, and what comes after it does not matter', async () => {
  const bytes = await captureHello({ servername: 'site.test', ALPNProtocols: ['acme-tls/1'] });
  for (let length = 0; length < bytes.length; length++) {
    assert.equal(readClientHello(bytes.subarray(0, length)), 'incomplete', `${length} bytes`);
  }
  const expected = { serverName: 'site.test', protocols: ['acme-tls/1'] };
  assert.deepEqual(readClientHello(Buffer.concat([bytes, Buffer.from('early data')])), expected);
});

test('a message in several records is joined, wherever it is cut', () => {
  const whole = hello(serverName('site.test'), alpn('h2')).subarray(5);
  const expected = { serverName: 'site.test', protocols: ['h2'] };
  for (let cut = 1; cut < whole.length; cut++) {
    const first = record(whole.subarray(0, cut));
    assert.equal(readClientHello(first), 'incomplete');
    const bytes = Buffer.concat([first, record(whole.subarray(cut))]);
    assert.deepEqual(readClientHello(bytes), expected);
    assert.equal(readClientHello(bytes.subarray(0, -1)), 'incomplete');
  }
});

test('extensions may be missing, empty, or unknown', () => {
  assert.deepEqual(readClientHello(record(message(beforeExtensions))), nothing);
  assert.deepEqual(readClientHello(hello()), nothing);
  assert.deepEqual(readClientHello(hello(extension(0x0a0a, Buffer.alloc(0)), alpn('h2'))), {
    serverName: undefined,
    protocols: ['h2'],
  });
});

const refused: Readonly<Record<string, Buffer>> = {
  'an HTTP request': Buffer.from('GET / HTTP/1.1\r\n'),
  'another kind of record': Buffer.from([23, 3, 1, 0, 1, 0]),
  'another major version': Buffer.from([22, 2, 0, 0, 1, 0]),
  'an empty record': Buffer.from([22, 3, 1, 0, 0]),
  'a record that is too long': Buffer.from([22, 3, 1, 0x40, 0x01]),
  'another message': record(message(beforeExtensions, 2)),
  'a message that is too long': record(Buffer.from([1, 1, 0, 1, 3, 3])),
  'a message that ends early': record(message(beforeExtensions.subarray(0, 20))),
  'an extension that ends early': record(
    message(Buffer.concat([beforeExtensions, vector(2, number(0), number(9))])),
  ),
  'bytes after the extensions': record(message(Buffer.concat([beforeExtensions, vector(2), Buffer.of(0)]))),
  'the same extension twice': hello(serverName('a.test'), serverName('b.test')),
  'an empty name': hello(serverName('')),
  'a name with a NUL': hello(serverName('a.test\0.b.test')),
  'a name of another kind': hello(extension(0, vector(2, Buffer.of(1), vector(2, 'a.test')))),
  'two names': hello(
    extension(0, vector(2, Buffer.of(0), vector(2, 'a.test'), Buffer.of(0), vector(2, 'b.test'))),
  ),
  'bytes after the names': hello(
    extension(0, Buffer.concat([vector(2, Buffer.of(0), vector(2, 'a.test')), Buffer.of(0)])),
  ),
  'no protocol': hello(alpn()),
  'a protocol without a name': hello(alpn('h2', '')),
  'bytes after the protocols': hello(
    extension(16, Buffer.concat([vector(2, vector(1, 'h2')), Buffer.of(0)])),
  ),
};

for (const [what, bytes] of Object.entries(refused)) {
  test(`unreadable: ${what}`, () => assert.equal(readClientHello(bytes), 'unreadable'));
}

test('a hello with any one byte changed or any length gives an answer', async () => {
  const bytes = await captureHello({ servername: 'site.test', ALPNProtocols: ['h2'] });
  for (let at = 0; at < bytes.length; at++) {
    for (const value of [0, 1, 0x7f, 0x80, 0xff]) {
      const changed = Buffer.from(bytes);
      changed[at] = value;
      assert.ok(readClientHello(changed) !== undefined);
    }
  }
});
