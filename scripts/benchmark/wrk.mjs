import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/**
 * One run of wrk with one thread. Resolves with {requestsPerSecond, p50Ms, p99Ms}, or with {error}: a contender that
 * fails requests has no rate.
 */
export async function measure(url, { connections, seconds }) {
  const { stdout } = await run('wrk', ['-t1', `-c${connections}`, `-d${seconds}s`, '--latency', url]);
  const errors = stdout.match(/^\s*(Socket errors: .*|Non-2xx or 3xx responses: .*)$/gm);
  if (errors !== null) return { error: errors.map((line) => line.trim()).join('; ') };
  return {
    requestsPerSecond: Math.round(Number(stdout.match(/^Requests\/sec:\s+([\d.]+)$/m)[1])),
    p50Ms: milliseconds(stdout.match(/^\s+50%\s+(\S+)$/m)[1]),
    p99Ms: milliseconds(stdout.match(/^\s+99%\s+(\S+)$/m)[1]),
  };
}

/** `812.00us`, `1.24ms`, `1.02s` */
function milliseconds(text) {
  const [, number, unit] = text.match(/^([\d.]+)(us|ms|s|m)$/);
  return Number((Number(number) * { us: 0.001, ms: 1, s: 1000, m: 60_000 }[unit]).toFixed(3));
}
