import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { promisify } from 'node:util';
import { fetchFromCa } from '../../src/tls/acme/ca-connection.js';
import { signCertificate } from '../../src/tls/sign-certificate.js';
import type { ChallengeServer } from './challenge-server.js';
import { eventually } from './eventually.js';
import { freePort } from './free-port.js';
import { startNameServer } from './name-server.js';
import { repositoryRoot } from './repository.js';
import { withDeadline } from './with-deadline.js';

/** Pebble, a real certificate authority for tests, in strict mode, which rejects 5 % of all nonces. */
export class Pebble {
  readonly directoryUrl: string;
  /** For acmeCaFile: who signed the certificate of Pebble's own server. */
  readonly caFile: string;
  readonly #managementUrl: string;
  readonly #start: () => ChildProcess;
  #process: ChildProcess | undefined;

  constructor(ports: { directory: number; management: number }, caFile: string, start: () => ChildProcess) {
    this.directoryUrl = `https://127.0.0.1:${ports.directory}/dir`;
    this.#managementUrl = `https://127.0.0.1:${ports.management}`;
    this.caFile = caFile;
    this.#start = start;
  }

  /** Forgets everything that was before. */
  async start(): Promise<void> {
    const child = this.#start();
    this.#process = child;
    // Not asked before it says that it is about to listen: a connection to a port of this machine that nobody listens
    // on may meet itself, and hold the port.
    await untilSaid(child, 'ACME directory available');
    await eventually(() => this.#ask('get', this.directoryUrl), { timeoutMs: 20_000 });
  }

  async stop(): Promise<void> {
    await end(this.#process);
    this.#process = undefined;
  }

  /** The root of the certificates that it gives, PEM. */
  root(): Promise<string> {
    return this.#ask('get', `${this.#managementUrl}/roots/0`);
  }

  /** From now on it suggests that window for the renewal of a certificate. */
  async moveWindow(certificatePem: string, start: Date, end: Date): Promise<void> {
    const answer = JSON.stringify({
      suggestedWindow: { start: start.toISOString(), end: end.toISOString() },
    });
    const body = JSON.stringify({ Certificate: certificatePem, ARIResponse: answer });
    await this.#ask('post', `${this.#managementUrl}/set-renewal-info/`, body);
  }

  // Private

  async #ask(method: string, url: string, body?: string): Promise<string> {
    const caPem = await readFile(this.caFile, 'utf8');
    const signal = AbortSignal.timeout(10_000);
    const answer = await fetchFromCa({
      method: method.toUpperCase(),
      url,
      headers: { 'User-Agent': 'easyserve tests' },
      body,
      caPem,
      signal,
    });
    if (answer.status !== 200) throw new Error(`Pebble answers ${answer.status}: ${answer.body}`);
    return answer.body;
  }
}

export interface PebbleOptions {
  /** External account binding is demanded, with these keys (base64url) by their names. */
  readonly eabKeys?: Readonly<Record<string, string>>;
  readonly validitySeconds?: number;
  /** Names that the DNS does not know; for all others it says 127.0.0.1. */
  readonly unknownNames?: ReadonlySet<string>;
}

/** Starts it, with its DNS server, for the length of a test. It looks for challenges where `answers` listens. */
export async function startPebble(
  t: TestContext,
  answers: Pick<ChallengeServer, 'httpPort' | 'tlsPort'>,
  { eabKeys, validitySeconds = 86_400, unknownNames = new Set() }: PebbleOptions = {},
): Promise<Pebble> {
  const program = await preparePebble();
  const folder = await mkdtemp(join(tmpdir(), 'easyserve-pebble-'));
  const [directory, management] = await Promise.all([freePort(), freePort()]);
  const dns = await startNameServer(t, unknownNames);
  const { caFile, ...files } = await writeServerCertificate(folder);
  const config = join(folder, 'pebble.json');
  const pebble = {
    listenAddress: `127.0.0.1:${directory}`,
    managementListenAddress: `127.0.0.1:${management}`,
    ...files,
    httpPort: answers.httpPort,
    tlsPort: answers.tlsPort,
    externalAccountBindingRequired: eabKeys !== undefined,
    externalAccountMACKeys: eabKeys ?? {},
    certificateValidityPeriod: validitySeconds,
    profiles: { default: { description: 'for tests', validityPeriod: validitySeconds } },
  };
  await writeFile(config, JSON.stringify({ pebble }));
  const started = new Pebble({ directory, management }, caFile, () =>
    run(program, ['-config', config, '-strict', '-dnsserver', `127.0.0.1:${dns}`]),
  );
  t.after(async () => {
    await started.stop();
    await rm(folder, { recursive: true });
  });
  await started.start();
  return started;
}

let prepared: Promise<string> | undefined;

/** The path of the program, which may have to be built the first time. */
function preparePebble(): Promise<string> {
  prepared ??= promisify(execFile)(join(repositoryRoot, 'scripts', 'pebble')).then(({ stdout }) =>
    stdout.trim(),
  );
  return prepared;
}

function run(program: string, args: readonly string[]): ChildProcess {
  const env = {
    ...process.env,
    PEBBLE_VA_NOSLEEP: '1',
    PEBBLE_VA_ALWAYS_VALID: '0',
    PEBBLE_WFE_NONCEREJECT: '5',
    PEBBLE_AUTHZREUSE: '0',
  };
  return spawn(program, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
}

/** Rejects with what it said instead when it ends. What it says later is read and dropped. */
async function untilSaid(child: ChildProcess, sentence: string): Promise<void> {
  let text = '';
  const said = new Promise<void>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (piece: string) => {
        if (!text.includes(sentence)) text += piece;
        if (text.includes(sentence)) resolve();
      });
    }
    child.once('exit', () => reject(new Error(`Pebble has ended:\n${text}`)));
    child.once('error', reject);
  });
  await withDeadline(said, 20_000, () => `Pebble does not begin:\n${text}`);
}

async function end(child: ChildProcess | undefined): Promise<void> {
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  await withDeadline(exited, 10_000, () => `${child.spawnfile} does not end`);
}

async function writeServerCertificate(
  folder: string,
): Promise<{ caFile: string; certificate: string; privateKey: string }> {
  const validity = { notBeforeMs: Date.now() - 3_600_000, notAfterMs: Date.now() + 86_400_000 };
  const authority = await signCertificate({ ...validity, commonName: 'test', names: [], isAuthority: true });
  const leaf = await signCertificate({
    ...validity,
    commonName: 'pebble',
    names: ['127.0.0.1', 'localhost'],
    issuer: authority,
  });
  const caFile = join(folder, 'ca.pem');
  const certificate = join(folder, 'server.pem');
  const privateKey = join(folder, 'server.key');
  await writeFile(caFile, authority.certificatePem);
  await writeFile(certificate, leaf.certificatePem);
  await writeFile(privateKey, leaf.keyPem);
  return { caFile, certificate, privateKey };
}
