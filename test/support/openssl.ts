import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { withDeadline } from './with-deadline.js';

export interface OpensslResult {
  readonly code: number | null;
  /** stdout and stderr, as they came. */
  readonly output: string;
}

/** Runs the system's openssl to its end, with nothing to read. */
export async function runOpenssl(args: readonly string[]): Promise<OpensslResult> {
  const child = spawn('openssl', args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  try {
    const [code] = await withDeadline(
      once(child, 'close'),
      20_000,
      () => `openssl ${args.join(' ')}\n${output}`,
    );
    return { code, output };
  } finally {
    child.kill('SIGKILL');
  }
}

/** One handshake of `openssl s_client` with a server on this machine. */
export function handshakeByOpenssl(port: number, args: readonly string[]): Promise<OpensslResult> {
  return runOpenssl(['s_client', '-connect', `127.0.0.1:${port}`, ...args]);
}
