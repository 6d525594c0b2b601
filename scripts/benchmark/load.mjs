import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/**
 * The load generators, each in a process of its own, on one core. Every function resolves with {requestsPerSecond, p50Ms, p99Ms}, as
 * far as the generator tells them, or with {error}: a contender that fails a single request has no rate.
 */

const run = promisify(execFile);
const openLoopProgram = join(dirname(fileURLToPath(import.meta.url)), 'open-loop.mjs');

/** Closed loop over HTTP/1.1: each connection asks again as soon as it has its answer. `folder` is for a file of wrk's. */
export async function runWrk(url, request, { seconds, folder }) {
  const script = join(folder, 'request.lua');
  writeFileSync(script, wrkScript(request, folder));
  const args = ['-t1', `-c${request.connections}`, `-d${seconds}s`, '--timeout', '10s', '--latency'];
  const { stdout } = await run('wrk', [...args, '-s', script, new URL(request.path, url).href]);
  const errors = stdout.match(/^\s*(Socket errors: .*|Non-2xx or 3xx responses: .*)$/gm);
  if (errors !== null) return { error: errors.map((line) => line.trim()).join('; ') };
  if (/^\s+0 requests in/m.test(stdout)) return { error: 'no request was answered' };
  return {
    requestsPerSecond: numberIn(stdout, /^Requests\/sec:\s+([\d.]+)$/m),
    p50Ms: wrkMilliseconds(stdout.match(/^\s+50%\s+(\S+)$/m)[1]),
    p99Ms: wrkMilliseconds(stdout.match(/^\s+99%\s+(\S+)$/m)[1]),
  };
}

/** Closed loop over TLS, by HTTP/2 with 10 streams for each connection ('h2') or by HTTP/1.1 ('h1'). */
export async function runH2load(url, request, { seconds, protocol }) {
  const version = protocol === 'h2' ? ['--npn-list=h2', '-m10'] : ['--h1', '-m1'];
  const headers = Object.entries(request.headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`]);
  const target = new URL(request.path, url).href;
  const { stdout } = await run('h2load', [
    ...['-t1', `-c${request.connections}`, `-D${seconds}s`, ...version, ...headers, target],
  ]);
  // With -D it counts the requests that were cut by the end as neither done nor failed.
  const [, done, succeeded, failed, errored, timedOut] = stdout
    .match(/(\d+) done, (\d+) succeeded, (\d+) failed, (\d+) errored, (\d+) timeout/)
    .map(Number);
  const others = stdout.match(/^status codes: \d+ 2xx, 0 3xx, 0 4xx, 0 5xx$/m) === null;
  if (done === 0 || succeeded !== done || failed + errored + timedOut > 0 || others) {
    return { error: stdout.match(/^(requests|status codes): .*$/gm).join('; ') };
  }
  return { requestsPerSecond: numberIn(stdout, /, ([\d.]+) req\/s,/) };
}

/** A new TLS 1.3 connection, and one request on it, as often as they can be had by 16 at a time. */
export async function runNewTlsConnections(url, request, { seconds }) {
  const target = new URL(request.path, url).href;
  // Behind -t, which sets -n to 50,000.
  const limits = ['-t', String(seconds), '-n', '10000000', '-c', '16', '-q', '-S'];
  const { stdout } = await run('ab', [...limits, '-f', 'TLS1.3', target]);
  const failed = numberIn(stdout, /^Failed requests:\s+(\d+)$/m);
  const refused = stdout.match(/^Non-2xx responses:.*$/m)?.[0];
  const protocol = stdout.match(/^SSL\/TLS Protocol:\s+(.*)$/m)?.[1] ?? 'no TLS';
  if (failed > 0 || refused !== undefined) return { error: refused ?? `${failed} failed requests` };
  if (!protocol.startsWith('TLSv1.3')) return { error: `it agreed on ${protocol}` };
  return {
    requestsPerSecond: numberIn(stdout, /^Requests per second:\s+([\d.]+)/m),
    p50Ms: numberIn(stdout, /^\s+50%\s+(\d+)$/m),
    p99Ms: numberIn(stdout, /^\s+99%\s+(\d+)$/m),
  };
}

/** Open loop: requests come at a fixed rate, whether the ones before are answered or not (see open-loop.mjs). */
export async function runOpenLoop(url, request, { seconds, requestsPerSecond }) {
  const { path, headers } = request;
  const what = JSON.stringify({ url, path, headers, seconds, requestsPerSecond });
  const { stdout } = await run(process.execPath, [openLoopProgram, what]);
  return JSON.parse(stdout);
}

// Private

function wrkScript({ method = 'GET', headers, body }, folder) {
  const lines = Object.entries(headers).map(
    ([name, value]) => `wrk.headers[${luaText(name)}] = ${luaText(value)}`,
  );
  lines.push(`wrk.method = ${luaText(method)}`);
  if (body !== undefined) {
    const file = join(folder, 'request-body');
    writeFileSync(file, body);
    lines.push(`local file = io.open(${luaText(file)}, "rb")`, 'wrk.body = file:read("*a")', 'file:close()');
  }
  return `${lines.join('\n')}\n`;
}

/** Lua reads the escapes of JSON that occur in header values and paths. */
function luaText(value) {
  return JSON.stringify(String(value));
}

function numberIn(output, pattern) {
  const found = output.match(pattern);
  if (found === null) throw new Error(`${pattern} is not in:\n${output}`);
  return Number(found[1]);
}

/** `812.00us`, `1.24ms`, `1.02s` */
function wrkMilliseconds(text) {
  const [, number, unit] = text.match(/^([\d.]+)(us|ms|s|m)$/);
  return Number((Number(number) * { us: 0.001, ms: 1, s: 1000, m: 60_000 }[unit]).toFixed(3));
}
