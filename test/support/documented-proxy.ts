import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { makeTempDir } from './copy-fixture.js';
import { eventually } from './eventually.js';
import { freePort } from './free-port.js';
import { ask } from './http-client.js';
import { ensureInstalled } from './installed-program.js';
import { repositoryRoot } from './repository.js';
import { writePair } from './secure-client.js';
import { makeCertificate } from './tls-material.js';
import { withDeadline } from './with-deadline.js';

export type ProxyName = 'nginx' | 'caddy';

/** A real proxy of another project before an instance. */
export interface DocumentedProxy {
  readonly url: string;
  readonly securePort: number;
}

/** The first block of code of this language in docs/wsgi.md, section "Behind another proxy". */
function documentedLines(language: 'nginx' | 'caddyfile'): string {
  const page = readFileSync(join(repositoryRoot, 'docs', 'wsgi.md'), 'utf8');
  const section = page.slice(page.indexOf('\n## Behind another proxy\n'));
  const block = section.split(`\n\`\`\`${language}\n`)[1]?.split('\n```\n')[0];
  if (block === undefined) throw new Error(`docs/wsgi.md has no ${language} lines for a proxy`);
  return block;
}

/** Starts nginx or Caddy for a.test, over HTTP and HTTPS, with the lines that the documentation has for it. */
export async function startDocumentedProxy(
  t: TestContext,
  name: ProxyName,
  target: string,
): Promise<DocumentedProxy> {
  ensureInstalled(name);
  const folder = makeTempDir(t);
  const pair = writePair(folder, 'a.test', await makeCertificate(['a.test']));
  const place = { folder, port: await freePort(), securePort: await freePort(), ...pair };
  const [program, args] =
    name === 'nginx'
      ? ['/usr/sbin/nginx', ['-c', writeNginxFile(place, target), '-p', folder, '-e', 'stderr']]
      : ['caddy', ['run', '--config', writeCaddyFile(place, target), '--adapter', 'caddyfile']];
  const child = spawn(program as string, args as string[], {
    cwd: folder,
    env: { ...process.env, HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  t.after(() => end(child));
  const url = `http://127.0.0.1:${place.port}/`;
  await eventually(
    async () => {
      if (child.exitCode !== null) throw new Error(`${name} has ended:\n${output}`);
      await ask(url, '/', { headers: { Host: 'a.test' } });
    },
    { timeoutMs: 30_000, intervalMs: 100 },
  );
  return { url, securePort: place.securePort };
}

// Private

interface Place {
  readonly folder: string;
  readonly port: number;
  readonly securePort: number;
  readonly cert: string;
  readonly key: string;
}

function writeNginxFile({ folder, port, securePort, cert, key }: Place, target: string): string {
  const kinds = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  const file = join(folder, 'nginx.conf');
  const lines = replaced(documentedLines('nginx'), 'http://127.0.0.1:8000', target.replace(/\/$/, ''));
  writeFileSync(
    file,
    `daemon off;
master_process off;
pid ${join(folder, 'nginx.pid')};
error_log stderr;
events {}
http {
  access_log off;
  ${kinds.map((kind) => `${kind}_temp_path ${join(folder, kind)};`).join('\n  ')}
  server {
    listen 127.0.0.1:${port};
    listen 127.0.0.1:${securePort} ssl;
    server_name a.test;
    ssl_certificate ${cert};
    ssl_certificate_key ${key};
    ${lines}
  }
}
`,
  );
  return file;
}

/** Caddy takes the scheme, the port and whether to ask a CA from the address of the site. */
function writeCaddyFile({ folder, port, securePort, cert, key }: Place, target: string): string {
  const file = join(folder, 'Caddyfile');
  const documented = replaced(documentedLines('caddyfile'), '127.0.0.1:8000', new URL(target).host);
  const sites = [
    [`http://a.test:${port}`, ''],
    [`https://a.test:${securePort}`, `tls ${cert} ${key}`],
  ];
  const text = sites.map(([address, tls]) =>
    replaced(documented, 'example.com {', `${address} {\n    bind 127.0.0.1\n    ${tls}`),
  );
  writeFileSync(file, `{\n  admin off\n  auto_https off\n}\n${text.join('\n')}\n`);
  return file;
}

function replaced(text: string, documented: string, own: string): string {
  if (!text.includes(documented)) throw new Error(`the documented lines have no ${documented}:\n${text}`);
  return text.replace(documented, own);
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  await withDeadline(exited, 20_000, () => `${child.spawnfile} does not end`);
}
