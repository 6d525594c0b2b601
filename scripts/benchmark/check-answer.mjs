import { once } from 'node:events';
import { Agent, request as httpRequest } from 'node:http';
import { connect } from 'node:http2';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { gunzipSync } from 'node:zlib';

const timeoutMs = 30_000;

/**
 * The request as this contender has to be asked it: one that revalidates names the contender's own ETag. A fault is thrown as
 * an Error: what doesn't answer as expected is not measured.
 */
export async function requestFor(url, request) {
  if (!request.revalidates) return { headers: {}, ...request };
  const { status, headers } = await fetchAnswer(url, { ...request, headers: {} });
  if (status !== 200 || headers.etag === undefined) {
    throw new Error(`${request.path} answers ${status} with ${headers.etag ?? 'no ETag'}`);
  }
  return { ...request, headers: { 'if-none-match': headers.etag } };
}

/**
 * Asks 20 times, or as often as the request says, on connections of their own, and compares status, headers and every byte of the
 * body. Rejects with what is wrong.
 */
export async function checkAnswers(url, request, protocol = 'h1') {
  for (let n = 0; n < (request.checks ?? 20); n++) {
    const answer = await fetchAnswer(url, request, protocol);
    const fault = findFault(answer, request.expect);
    if (fault !== undefined) throw new Error(`${request.path}: ${fault}`);
  }
}

/** Resolves with {status, headers, body}. The certificate of the benchmark is nobody's: it isn't verified. */
export function fetchAnswer(url, request, protocol = 'h1') {
  return protocol === 'h2' ? fetchByHttp2(url, request) : fetchByHttp1(url, request);
}

// Private

function findFault({ status, headers, body }, expect) {
  if (status !== expect.status) return `status ${status}, not ${expect.status}: ${preview(body)}`;
  for (const [name, pattern] of Object.entries(expect.headers)) {
    const value = headers[name];
    if (value === undefined || !pattern.test(value))
      return `header ${name} is ${JSON.stringify(value)}, not ${pattern}`;
  }
  const plain = expect.decode === 'gzip' ? gunzipSync(body) : body;
  if (plain.equals(expect.body)) return undefined;
  return `its body of ${plain.length} bytes is not the expected one of ${expect.body.length}: ${preview(plain)}`;
}

function preview(body) {
  return JSON.stringify(body.toString('latin1', 0, 120));
}

async function fetchByHttp1(url, { path, method = 'GET', headers, body }) {
  const isHttps = url.startsWith('https:');
  const request = isHttps ? httpsRequest : httpRequest;
  const outgoing = request(new URL(path, url), {
    method,
    headers: { ...headers, ...(body === undefined ? {} : { 'content-length': body.length }) },
    agent: isHttps ? new HttpsAgent({ keepAlive: false }) : new Agent({ keepAlive: false }),
    rejectUnauthorized: false,
    signal: AbortSignal.timeout(timeoutMs),
  });
  outgoing.end(body);
  const [response] = await once(outgoing, 'response');
  const pieces = await response.toArray();
  return { status: response.statusCode, headers: response.headers, body: Buffer.concat(pieces) };
}

async function fetchByHttp2(url, request) {
  const session = connect(url, { rejectUnauthorized: false });
  // A stream doesn't always hear of the end of its session.
  const failed = new Promise((_resolve, reject) => {
    session.once('error', reject);
    session.once('close', () => reject(new Error('the connection was closed')));
  });
  try {
    return await Promise.race([askSession(session, request), failed]);
  } finally {
    failed.catch(() => undefined);
    session.destroy();
  }
}

async function askSession(session, { path, method = 'GET', headers }) {
  const stream = session.request(
    { ':path': path, ':method': method, ...headers },
    { signal: AbortSignal.timeout(timeoutMs) },
  );
  const [answered] = await once(stream, 'response');
  const pieces = await stream.toArray();
  return { status: answered[':status'], headers: answered, body: Buffer.concat(pieces) };
}
