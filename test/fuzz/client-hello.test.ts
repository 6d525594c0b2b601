import assert from 'node:assert/strict';
import fc from 'fast-check';
import { readClientHello } from '../../src/front/listen/tls/client-hello.js';
import { forAll } from '../support/for-all.js';

// The first bytes of a connection to the HTTPS port: the first thing that a stranger sends.

/** A length in so many bytes before the bytes. */
function vector(lengthBytes: number, content: Buffer): Buffer {
  const length = Buffer.alloc(lengthBytes);
  length.writeUIntBE(content.length, 0, lengthBytes);
  return Buffer.concat([length, content]);
}

const extension = (type: number, data: Buffer) =>
  Buffer.concat([Buffer.of(type >> 8, type & 255), vector(2, data)]);
const bytes = (maxLength: number) => fc.uint8Array({ maxLength }).map((each) => Buffer.from(each));

const hello = fc
  .record({
    name: fc.stringMatching(/^[A-Za-z0-9.-]{1,40}$/),
    protocols: fc.array(fc.stringMatching(/^[a-z0-9/.]{1,12}$/), { minLength: 1, maxLength: 4 }),
    random: fc.uint8Array({ minLength: 32, maxLength: 32 }),
    session: bytes(32),
    ciphers: bytes(20),
    unknown: bytes(30),
    recordBytes: fc.integer({ min: 1, max: 200 }),
  })
  .map(({ name, protocols, random, session, ciphers, unknown, recordBytes }) => {
    const serverName = vector(2, Buffer.concat([Buffer.of(0), vector(2, Buffer.from(name))]));
    const alpn = vector(2, Buffer.concat(protocols.map((each) => vector(1, Buffer.from(each)))));
    const extensions = [extension(0x4a4a, unknown), extension(0, serverName), extension(16, alpn)];
    const body = Buffer.concat([
      ...[
        Buffer.of(3, 3),
        Buffer.from(random),
        vector(1, session),
        vector(2, ciphers),
        vector(1, Buffer.of(0)),
      ],
      vector(2, Buffer.concat(extensions)),
    ]);
    const message = Buffer.concat([Buffer.of(1), vector(3, body)]);
    const records: Buffer[] = [];
    for (let at = 0; at < message.length; at += recordBytes) {
      records.push(Buffer.concat([Buffer.of(22, 3, 1), vector(2, message.subarray(at, at + recordBytes))]));
    }
    return { name, protocols, bytes: Buffer.concat(records) };
  });

forAll(
  'a hello says its name and protocols, in however many records, and not before it is whole',
  hello,
  (input) => {
    const wanted = { serverName: input.name.toLowerCase(), protocols: input.protocols };
    assert.deepEqual(readClientHello(input.bytes), wanted);
    assert.deepEqual(readClientHello(Buffer.concat([input.bytes, Buffer.from('more')])), wanted);
    for (const length of [0, 1, 4, 5, 6, input.bytes.length >> 1, input.bytes.length - 1]) {
      assert.equal(readClientHello(input.bytes.subarray(0, length)), 'incomplete');
    }
  },
);

forAll(
  'a hello with any bytes changed has an outcome, and one that it keeps',
  fc.record({ hello, changes: fc.array(fc.tuple(fc.nat(500), fc.nat(255)), { minLength: 1, maxLength: 6 }) }),
  ({ hello, changes }) => {
    const changed = Buffer.from(hello.bytes);
    for (const [at, value] of changes) changed[at % changed.length] = value;
    expectSteady(changed);
  },
);

const handshake = bytes(300).map((each) => Buffer.concat([Buffer.of(22, 3, 1, 0), each]));

forAll('any bytes have an outcome, and one that they keep', fc.oneof(bytes(300), handshake), expectSteady);

/** More bytes never change what was already understood or refused. */
function expectSteady(input: Buffer): void {
  let before: ReturnType<typeof readClientHello> = 'incomplete';
  for (let length = 0; length <= input.length; length += 1) {
    const outcome = readClientHello(input.subarray(0, length));
    if (before !== 'incomplete') assert.deepEqual(outcome, before, `${length} bytes`);
    before = outcome;
  }
}
