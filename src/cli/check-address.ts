import { createServer } from 'node:net';
import { ExitCode } from '../errors.js';
import type { Settings } from '../settings/settings.js';
import type { Finding } from './finding.js';

/**
 * Whether `easyserve start` could listen; found out by listening, for a moment. `ownUrls` are those of the running instance
 * of this folder.
 */
export async function checkAddress(
  { host, port }: Pick<Settings, 'host' | 'port'>,
  isDebug: boolean,
  ownUrls: readonly string[],
): Promise<Finding> {
  const address = host ?? (isDebug ? '127.0.0.1' : '0.0.0.0');
  if (ownUrls.length > 0)
    return { level: 'ok', text: `address: ${ownUrls.join(', ')}, of the running instance` };
  if (port === null && (await tryListening(address, 80)) === undefined) return free(address, 80);
  const wanted = port ?? 8000;
  const code = await tryListening(address, wanted);
  return code === undefined ? free(address, wanted) : refused(address, wanted, code);
}

/** The error code; undefined where it worked. */
function tryListening(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
}

function free(address: string, port: number): Finding {
  const text = port === 0 ? `address: ${address}, any free port` : `address: ${address} port ${port} is free`;
  return { level: 'ok', text };
}

function refused(address: string, port: number, code: string): Finding {
  const problem = { level: 'problem', exitCode: ExitCode.address } as const;
  switch (code) {
    case 'EADDRINUSE':
      return {
        ...problem,
        text: `${address} port ${port} is taken by another program.`,
        fix: `\`ss -ltnp "sport = :${port}"\` names it; or choose another: --port ${port + 1}`,
      };
    case 'EACCES':
      return {
        ...problem,
        text: `Port ${port} may not be opened by this user.`,
        fix: '`sudo sysctl net.ipv4.ip_unprivileged_port_start=80`, or choose one above 1023: --port 8000',
      };
    case 'EADDRNOTAVAIL':
      return { ...problem, text: `${address} is not an address of this machine.`, fix: '--host 0.0.0.0' };
    default:
      return { ...problem, text: `${address} port ${port} cannot be opened (${code}).` };
  }
}
