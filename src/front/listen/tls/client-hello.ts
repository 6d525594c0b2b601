/** What of a client's first message decides on the certificate. */
export interface ClientHello {
  /** Lower case; undefined where it names none, as for an IP address (RFC 6066 section 3). */
  readonly serverName: string | undefined;
  /** ALPN (RFC 7301), in the client's order; empty without it. */
  readonly protocols: readonly string[];
}

/** OpenSSL takes no longer one either (SSL3_RT_MAX_PLAIN_LENGTH in a handshake of 131,396); browsers send 2,000 bytes. */
const longestHelloBytes = 65_536;
const recordHeaderBytes = 5;
const longestRecordBytes = 16_384;
const handshakeHeaderBytes = 4;

const handshakeRecord = 22;
const clientHello = 1;
const serverNameExtension = 0;
const hostNameType = 0;
const protocolsExtension = 16;

/**
 * Reads the first bytes of a connection: RFC 8446 sections 5.1, 4 and 4.1.2, the same for TLS 1.2 and 1.3. The message may be cut
 * into several records.
 *
 * `incomplete`: more has to come. `unreadable`: no TLS, or malformed; it is left to OpenSSL to refuse it.
 * Never throws.
 */
export function readClientHello(bytes: Buffer): ClientHello | 'incomplete' | 'unreadable' {
  const message = joinRecords(bytes);
  if (typeof message === 'string') return message;
  try {
    return readMessage(new Reader(message));
  } catch (error) {
    if (error instanceof RangeError) return 'unreadable';
    throw error;
  }
}

// Private

/** The whole ClientHello without record headers. */
function joinRecords(bytes: Buffer): Buffer | 'incomplete' | 'unreadable' {
  const parts: Buffer[] = [];
  let joined = 0;
  let wanted = handshakeHeaderBytes;
  for (let at = 0; joined < wanted; ) {
    const rest = bytes.subarray(at);
    if (!isRecordStart(rest)) return 'unreadable';
    if (rest.length < recordHeaderBytes) return 'incomplete';
    const length = rest.readUInt16BE(3);
    if (length === 0 || length > longestRecordBytes) return 'unreadable';
    const part = rest.subarray(recordHeaderBytes, recordHeaderBytes + length);
    parts.push(part);
    joined += part.length;
    at += recordHeaderBytes + length;
    if (joined >= handshakeHeaderBytes) {
      const header = Buffer.concat(parts).subarray(0, handshakeHeaderBytes);
      wanted = handshakeHeaderBytes + header.readUIntBE(1, 3);
      if (header[0] !== clientHello || wanted > longestHelloBytes) return 'unreadable';
    }
    if (part.length < length && joined < wanted) return 'incomplete';
  }
  return Buffer.concat(parts).subarray(0, wanted);
}

/** Type 22, major version 3; as much of it as has come. */
function isRecordStart(rest: Buffer): boolean {
  return (rest.length < 1 || rest[0] === handshakeRecord) && (rest.length < 2 || rest[1] === 3);
}

function readMessage(message: Reader): ClientHello {
  message.skip(handshakeHeaderBytes);
  message.skip(2 + 32); // legacy version, random
  message.vector(1); // session id
  message.vector(2); // cipher suites
  message.vector(1); // compression methods
  const hello: { serverName: string | undefined; protocols: readonly string[] } = {
    serverName: undefined,
    protocols: [],
  };
  if (message.isAtEnd) return hello;
  const extensions = message.vector(2);
  message.requireEnd();
  const seen = new Set<number>();
  while (!extensions.isAtEnd) {
    const type = extensions.number(2);
    const data = extensions.vector(2);
    if (seen.has(type)) throw new RangeError('an extension comes twice');
    seen.add(type);
    if (type === serverNameExtension) hello.serverName = readServerName(data);
    if (type === protocolsExtension) hello.protocols = readProtocols(data);
  }
  return hello;
}

/** RFC 6066 section 3: a list with only one kind of name defined, and at most one name of a kind. */
function readServerName(data: Reader): string {
  const list = data.vector(2);
  data.requireEnd();
  if (list.number(1) !== hostNameType) throw new RangeError('no host name');
  const name = list.vector(2).text();
  list.requireEnd();
  if (!/^[!-~]{1,255}$/.test(name)) throw new RangeError('no host name');
  return name.toLowerCase();
}

function readProtocols(data: Reader): readonly string[] {
  const list = data.vector(2);
  data.requireEnd();
  const protocols: string[] = [];
  while (!list.isAtEnd) {
    const name = list.vector(1).text();
    if (name === '') throw new RangeError('a protocol without a name');
    protocols.push(name);
  }
  if (protocols.length === 0) throw new RangeError('no protocol');
  return protocols;
}

/** Throws RangeError for what goes beyond the end. */
class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  number(bytes: 1 | 2): number {
    return this.#take(bytes).readUIntBE(0, bytes);
  }

  /** A length in so many bytes, and then as much (RFC 8446 section 3.4). */
  vector(lengthBytes: 1 | 2): Reader {
    return new Reader(this.#take(this.number(lengthBytes)));
  }

  skip(bytes: number): void {
    this.#take(bytes);
  }

  text(): string {
    return this.#take(this.#bytes.length - this.#at).toString('latin1');
  }

  requireEnd(): void {
    if (!this.isAtEnd) throw new RangeError('there is more than there should be');
  }

  #take(bytes: number): Buffer {
    const end = this.#at + bytes;
    if (end > this.#bytes.length) throw new RangeError('it ends too early');
    const taken = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return taken;
  }
}
