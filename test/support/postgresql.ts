import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { makeTempDir } from './copy-fixture.js';
import { eventually } from './eventually.js';
import { repositoryRoot } from './repository.js';

/** A server of the test's own. */
export interface PostgresServer {
  /** Where psycopg is: for sys.path. */
  readonly psycopg: string;
  /** HOST of Django's settings: the folder of its Unix socket, so that no port is taken. */
  readonly host: string;
  /** As its superuser `postgres`, in the database `postgres`. */
  run(sql: string): void;
}

/** Undefined: a server can be run here; else why not. */
export function whyNoPostgres(): string | undefined {
  if (process.getuid?.() !== 0) return 'not run: it needs root';
  const { status, stderr } = spawnSync(join(repositoryRoot, 'scripts', 'postgresql'), { encoding: 'utf8' });
  return status === 0 ? undefined : `not run: no PostgreSQL: ${stderr.trim()}`;
}

export async function startPostgres(t: TestContext, maxConnections: number): Promise<PostgresServer> {
  const said = execFileSync(join(repositoryRoot, 'scripts', 'postgresql'), { encoding: 'utf8' });
  const [programs = '', psycopg = ''] = said.split('\n');
  let stop = async () => {};
  t.after(() => stop());
  const folder = makeTempDir(t);
  chmodSync(folder, 0o755);
  const host = join(folder, 'server');
  mkdirSync(host);
  execFileSync('chown', ['postgres', host]);
  const asPostgres = ['--reuid=postgres', '--regid=postgres', '--init-groups'];
  const run = (program: string, ...args: string[]) =>
    execFileSync('setpriv', [...asPostgres, join(programs, program), ...args], {
      cwd: '/',
      stdio: ['ignore', 'ignore', 'pipe'],
    });
  const data = join(host, 'data');
  run('initdb', '--auth=trust', '--no-sync', '--no-instructions', data);
  const options = { max_connections: maxConnections, listen_addresses: '', unix_socket_directories: host };
  const flags = Object.entries(options).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const server = spawn('setpriv', [...asPostgres, join(programs, 'postgres'), '-D', data, '-F', ...flags], {
    cwd: '/',
    stdio: 'ignore',
  });
  const ended = once(server, 'exit');
  stop = async () => {
    server.kill('SIGINT'); // "fast": connections are cut (postgres(1))
    await ended;
  };
  const sql = (text: string) => void run('psql', '-h', host, '-c', text);
  await eventually(() => sql('SELECT 1'), { timeoutMs: 60_000 });
  return { psycopg, host, run: sql };
}
