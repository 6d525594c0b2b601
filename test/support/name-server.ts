import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import type { TestContext } from 'node:test';

/** A DNS server on 127.0.0.1, over UDP and TCP, that says 127.0.0.1 for every name but those in `unknown`. RFC 1035. */
export async function startNameServer(t: TestContext, unknown: ReadonlySet<string>): Promise<number> {
  const answer = (query: Buffer): Buffer => answerQuery(query, unknown);
  const tcp = createServer((socket) => serveTcp(socket, answer)).listen(0, '127.0.0.1');
  await once(tcp, 'listening');
  const { port } = tcp.address() as AddressInfo;
  const udp = createSocket('udp4').bind(port, '127.0.0.1');
  await once(udp, 'listening');
  udp.on('message', (query, from) => udp.send(answer(query), from.port, from.address));
  t.after(async () => {
    udp.close();
    tcp.close();
    await once(tcp, 'close');
  });
  return port;
}

/** Messages over TCP have their length before them (section 4.2.2). */
function serveTcp(socket: Socket, answer: (query: Buffer) => Buffer): void {
  let waiting = Buffer.alloc(0);
  socket.on('error', () => socket.destroy());
  socket.on('data', (part) => {
    waiting = Buffer.concat([waiting, part]);
    while (waiting.length >= 2 && waiting.length >= 2 + waiting.readUInt16BE()) {
      const length = waiting.readUInt16BE();
      const reply = answer(waiting.subarray(2, 2 + length));
      waiting = waiting.subarray(2 + length);
      socket.write(Buffer.concat([Buffer.from([reply.length >> 8, reply.length & 0xff]), reply]));
    }
  });
}

const typeA = 1;

function answerQuery(query: Buffer, unknown: ReadonlySet<string>): Buffer {
  const labels: string[] = [];
  let at = 12;
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length).toLowerCase());
    at += 1 + length;
  }
  const question = query.subarray(12, at + 5);
  const isKnown = !unknown.has(labels.join('.'));
  const hasAddress = isKnown && query.readUInt16BE(at + 1) === typeA;
  const header = Buffer.alloc(12);
  query.copy(header, 0, 0, 2);
  // An answer, recursion desired and available; NXDOMAIN is 3.
  header.writeUInt16BE(isKnown ? 0x8180 : 0x8183, 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(hasAddress ? 1 : 0, 6);
  // A pointer to the question's name, type A, class IN, no time to live, four bytes.
  const record = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, 127, 0, 0, 1]);
  return Buffer.concat([header, question, ...(hasAddress ? [record] : [])]);
}
