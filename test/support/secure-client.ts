import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { type ClientHttp2Session, connect as connectHttp2 } from 'node:http2';
import { request } from 'node:https';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { type ConnectionOptions, connect } from 'node:tls';
import type { CertificateMaterial } from '../../src/contracts/tls-material.js';
import type { Easyserve } from './easyserve.js';
import { eventually } from './eventually.js';
import { withDeadline } from './with-deadline.js';

export interface SecureAsking {
  /** Host header, and the name that TLS asks for. */
  readonly host: string;
  readonly method?: string;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** PEM of the only root that is trusted; without one anybody is. */
  readonly ca?: string;
}

export interface SecureAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

/** The URL of one of its two sockets. */
export async function urlOf(easyserve: Easyserve, scheme: 'http' | 'https'): Promise<string> {
  const { urls } = await easyserve.status();
  const url = urls.find((each) => each.startsWith(`${scheme}:`));
  assert.ok(url, `no ${scheme} among ${urls.join(' ')}`);
  return url;
}

export async function securePortOf(easyserve: Easyserve): Promise<number> {
  return Number(new URL(await urlOf(easyserve, 'https')).port || 443);
}

/** One HTTP/1.1 request over a TLS connection of its own. */
export async function askSecurely(port: number, path: string, asking: SecureAsking): Promise<SecureAnswer> {
  const { host, method = 'GET', body, headers = {}, ca } = asking;
  const outgoing = request({
    ...{ host: '127.0.0.1', port, path, method, agent: false },
    ...trust(host, ca),
    headers: { Host: host, ...headers },
    signal: AbortSignal.timeout(20_000),
  });
  outgoing.end(body);
  const [response] = await once(outgoing, 'response');
  let text = '';
  for await (const piece of response.setEncoding('utf8')) text += piece;
  return { status: response.statusCode, headers: response.headers, text };
}

/** Closed when the test ends. */
export async function openHttp2(
  t: TestContext,
  port: number,
  { host, ca }: Pick<SecureAsking, 'host' | 'ca'>,
): Promise<ClientHttp2Session> {
  const session = connectHttp2(`https://${host}`, { ...trust(host, ca), host: '127.0.0.1', port } as never);
  session.on('error', () => {}); // of one that is cut; the requests tell
  t.after(() => session.destroy());
  await withDeadline(once(session, 'connect'), 20_000, () => 'no HTTP/2 connection');
  return session;
}

/** The PEM of the certificate that a client gets who asks for this name; without its chain. */
export async function certificateFor(port: number, name: string | undefined): Promise<string> {
  const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false, ...withName(name) });
  try {
    await withDeadline(once(socket, 'secureConnect'), 20_000, () => `no handshake for ${name}`);
    const certificate = socket.getPeerX509Certificate();
    assert.ok(certificate);
    return certificate.toString();
  } finally {
    socket.destroy();
  }
}

/** Resolves when whoever connects gets this certificate, so often in turn that each worker was asked. */
export async function untilServed(
  port: number,
  name: string,
  { certificatePem }: Pick<CertificateMaterial, 'certificatePem'>,
): Promise<void> {
  await eventually(
    async () => {
      const seen = await Promise.all(Array.from({ length: 12 }, () => certificateFor(port, name)));
      for (const pem of seen)
        assert.ok(certificatePem.startsWith(pem.trim()), `${name} has another certificate`);
    },
    { timeoutMs: 20_000, intervalMs: 100 },
  );
}

/** Writes a pair into two files of a folder, as `name.pem` and `name.key`. */
export function writePair(
  folder: string,
  name: string,
  { certificatePem, keyPem }: Pick<CertificateMaterial, 'certificatePem' | 'keyPem'>,
): { readonly cert: string; readonly key: string } {
  const [cert, key] = [join(folder, `${name}.pem`), join(folder, `${name}.key`)];
  writeFileSync(key, keyPem, { mode: 0o600 });
  writeFileSync(cert, certificatePem);
  return { cert, key };
}

export function trust(host: string, ca: string | undefined): ConnectionOptions {
  return { ...withName(host), ...(ca === undefined ? { rejectUnauthorized: false } : { ca }) };
}

/** An address is not asked for by name (RFC 6066 section 3). */
function withName(name: string | undefined): ConnectionOptions {
  const plain = name?.replace(/:\d+$/, '');
  return plain === undefined || /^[\d.]+$/.test(plain) ? {} : { servername: plain };
}
