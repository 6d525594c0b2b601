import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';

export interface Answer {
  status: number;
  headers: Record<string, string>;
  body: Buffer;
}

/** Returns true when it has answered, or refused to, by itself. */
export type Fault = (
  n: number,
  request: IncomingMessage,
  response: ServerResponse,
  answer: Answer,
) => boolean;

/**
 * A stand-in for easyserve with the fixture's echo view, that misbehaves as told: the tests of loadDuring use it to
 * show that each kind of failure is noticed.
 */
export async function startEchoServer(
  t: TestContext,
  options: { fault?: Fault; version?: () => string } = {},
): Promise<{ url: string; server: Server }> {
  let requests = 0;
  const server = createServer(async (request, response) => {
    const n = requests++;
    const answer = await makeAnswer(request, options.version?.() ?? 'v1');
    if (options.fault?.(n, request, response, answer)) return;
    response.writeHead(answer.status, { ...answer.headers, 'Content-Length': answer.body.length });
    response.end(answer.body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, server };
}

async function makeAnswer(request: IncomingMessage, version: string): Promise<Answer> {
  const digest = createHash('sha256');
  let length = 0;
  for await (const piece of request as AsyncIterable<Buffer>) {
    digest.update(piece);
    length += piece.length;
  }
  const query = new URL(request.url ?? '/', 'http://localhost').search.slice(1);
  const body = Buffer.from(
    JSON.stringify({ version, method: request.method, query, length, sha256: digest.digest('hex') }),
  );
  return {
    status: 200,
    headers: { 'X-Fixture-Digest': createHash('sha256').update(body).digest('hex') },
    body,
  };
}
