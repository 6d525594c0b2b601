import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { type Clock, systemClock } from '../../src/contracts/clock.js';
import { AcmeManager, type AcmeManagerSettings } from '../../src/tls/acme/acme-manager.js';
import { type CaAnswer, type CaFetch, fetchFromCa } from '../../src/tls/acme/ca-connection.js';
import { CertificateFolder } from '../../src/tls/acme/certificate-folder.js';
import { type ChallengeServer, startChallengeServer } from './challenge-server.js';
import { defaultSettings } from './default-settings.js';
import { eventually } from './eventually.js';
import { type Pebble, type PebbleOptions, startPebble } from './pebble.js';
import { RecordingLog } from './recording-log.js';

/** Pebble, what answers its challenges, a folder, and managers on a clock that can be set. */
export class AcmeWorld {
  readonly pebble: Pebble;
  readonly answers: ChallengeServer;
  readonly folder: string;
  readonly log = new RecordingLog();
  /** Orders that Pebble was asked for. */
  orders = 0;
  /** Orders at stagingUrl. */
  stagingOrders = 0;
  /** Directory that first orders are tried out at. */
  stagingUrl: string | undefined;
  #aheadMs = 0;
  readonly #standInWindows = new Map<string, { readonly start: Date; readonly end: Date }>();
  /** Undefined where Pebble knows windows by itself. */
  #askedUrl: string | undefined;

  constructor(pebble: Pebble, answers: ChallengeServer, folder: string) {
    this.pebble = pebble;
    this.answers = answers;
    this.folder = folder;
  }

  /** Time passes for the managers, as if for the CA too. */
  passTime(ms: number): void {
    this.#aheadMs += ms;
  }

  settings(domains: readonly string[], changed: Partial<AcmeManagerSettings> = {}): AcmeManagerSettings {
    const { directoryUrl, caFile } = this.pebble;
    return { ...defaultSettings(), domains, acmeDirectory: directoryUrl, acmeCaFile: caFile, ...changed };
  }

  createManager(
    t: TestContext,
    domains: readonly string[],
    changed: Partial<AcmeManagerSettings> = {},
    publish: ChallengeServer['publish'] = this.answers.publish,
  ): AcmeManager {
    const manager = new AcmeManager({
      settings: this.settings(domains, changed),
      folder: new CertificateFolder(this.folder, this.log),
      clock: impatientClock,
      log: this.log,
      publish,
      wallNow: () => Date.now() + this.#aheadMs,
      fetch: this.#fetch,
      stagingOf: () => this.stagingUrl,
    });
    t.after(() => manager.stop());
    return manager;
  }

  /** Resolves when each certificate of the manager is in order. */
  async untilValid(manager: AcmeManager): Promise<void> {
    await eventually(
      () => {
        const bad = manager.status().filter(({ state }) => state !== 'valid');
        if (bad.length > 0) throw new Error(JSON.stringify(bad));
      },
      { timeoutMs: 20_000 },
    );
  }

  /** What is kept of the orders for a name. */
  async readRecord(name: string): Promise<Record<string, unknown>> {
    const [directory = ''] = await readdir(this.folder);
    return JSON.parse(await readFile(join(this.folder, directory, `${name}.json`), 'utf8'));
  }

  /** From now on the CA suggests that window for the renewal of the certificate, the only one. */
  async moveWindow(certificatePem: string, start: Date, end: Date): Promise<void> {
    if (this.#askedUrl === undefined) await this.pebble.moveWindow(certificatePem, start, end);
    else this.#standInWindows.set(this.#askedUrl, { start, end });
  }

  readonly #fetch: CaFetch = async (request) => {
    const answer = request.url.startsWith(standInUrl)
      ? this.#answerWindow(request.url)
      : await fetchFromCa(request);
    // One in twenty is refused for its nonce, and sent again.
    if (/order-plz$/.test(request.url) && answer.status === 201) this.#countOrder(request.url);
    const date = new Date(Date.now() + this.#aheadMs).toUTCString();
    const body = request.url === this.pebble.directoryUrl ? this.#addWindows(answer.body) : answer.body;
    return { ...answer, body, headers: { ...answer.headers, date } };
  };

  #countOrder(url: string): void {
    const isOfStaging = this.stagingUrl !== undefined && url.startsWith(new URL(this.stagingUrl).origin);
    if (isOfStaging) this.stagingOrders++;
    else this.orders++;
  }

  /** Debian's Pebble is too old for renewal windows (RFC 9773): they are put before it. */
  #addWindows(directory: string): string {
    const known = JSON.parse(directory);
    if ('renewalInfo' in known) return directory;
    return JSON.stringify({ ...known, renewalInfo: standInUrl });
  }

  #answerWindow(url: string): CaAnswer {
    const dayMs = 86_400_000;
    const start = new Date(Date.now() + 59 * dayMs);
    const usual = { start, end: new Date(start.getTime() + 2 * dayMs) };
    this.#askedUrl = url;
    const body = JSON.stringify({ suggestedWindow: this.#standInWindows.get(url) ?? usual });
    return { status: 200, headers: { 'retry-after': '21600' }, body };
  }
}

const standInUrl = 'https://127.0.0.1/renewal-info';

export async function createAcmeWorld(t: TestContext, options: PebbleOptions = {}): Promise<AcmeWorld> {
  const answers = await startChallengeServer(t);
  const pebble = await startPebble(t, answers, options);
  const folder = await mkdtemp(join(tmpdir(), 'easyserve-acme-'));
  t.after(() => rm(folder, { recursive: true }));
  return new AcmeWorld(pebble, answers, folder);
}

/** Real time for what waits for the network; the pauses until the next order, a minute and more, are over at once. */
const impatientClock: Clock = {
  ...systemClock,
  after: (delayMs, callback) => systemClock.after(delayMs > 30_000 ? 100 : delayMs, callback),
};
