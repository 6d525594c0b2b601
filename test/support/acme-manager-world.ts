import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import {
  AcmeManager,
  type AcmeManagerSettings,
  type AcmeMaterial,
  type PublishChallenges,
} from '../../src/tls/acme/acme-manager.js';
import { CertificateFolder } from '../../src/tls/acme/certificate-folder.js';
import { defaultSettings } from './default-settings.js';
import { eventually } from './eventually.js';
import { FakeClock } from './fake-clock.js';
import { FakeOrderer } from './issued-certificates.js';
import { RecordingLog } from './recording-log.js';

/** A manager in virtual time with a folder of its own, and an authority that gives what the test says. */
export class AcmeManagerWorld {
  readonly clock = new FakeClock();
  readonly log = new RecordingLog();
  readonly path: string;
  readonly published: AcmeMaterial[] = [];
  /** The wall clock's error. */
  skewMs = 0;
  readonly orderer = new FakeOrderer(() => this.wallNow());
  /** What the manager gave its orderer. */
  publishChallenges: PublishChallenges | undefined;
  readonly #startMs = Date.parse('2026-03-01T12:00:00Z');

  constructor(path: string) {
    this.path = path;
  }

  readonly wallNow = (): number => this.#startMs + this.clock.now() + this.skewMs;

  publish = async (material: AcmeMaterial): Promise<void> => {
    this.published.push(material);
  };

  settings(domains: readonly string[], changed: Partial<AcmeManagerSettings> = {}): AcmeManagerSettings {
    return { ...defaultSettings(), domains, ...changed };
  }

  createManager(
    t: TestContext,
    settings: AcmeManagerSettings,
    folder: CertificateFolder = new CertificateFolder(this.path, this.log),
  ): AcmeManager {
    const manager = new AcmeManager({
      settings,
      folder,
      clock: this.clock,
      log: this.log,
      publish: (material) => this.publish(material),
      wallNow: this.wallNow,
      random: () => 0,
      createOrderer: (publishChallenges) => {
        this.publishChallenges = publishChallenges;
        return this.orderer;
      },
    });
    t.after(() => manager.stop());
    return manager;
  }

  /** Resolves when every task of the manager waits for the clock, and nothing else does. */
  async untilIdle(tasks = 1): Promise<void> {
    await eventually(
      async () => {
        const { pending } = this.clock;
        if (pending !== tasks || (await this.#locks()).length > 0) throw new Error(`${pending} timers wait`);
      },
      { intervalMs: 2 },
    );
  }

  /** Lets time pass as the manager sees it: it looks up every hour. */
  async pass(ms: number, tasks = 1): Promise<void> {
    let leftMs = ms;
    while (leftMs > 0) {
      await this.untilIdle(tasks);
      const stepMs = Math.min(leftMs, Math.max(this.clock.nextInMs ?? leftMs, 1));
      this.clock.advance(stepMs);
      leftMs -= stepMs;
    }
    await this.untilIdle(tasks);
  }

  async #locks(): Promise<string[]> {
    const names = await readdir(this.path, { recursive: true });
    return names.filter((name) => name.endsWith('.lock'));
  }
}

export async function createAcmeManagerWorld(t: TestContext): Promise<AcmeManagerWorld> {
  const path = await mkdtemp(join(tmpdir(), 'easyserve-manager-'));
  t.after(() => rm(path, { recursive: true }));
  return new AcmeManagerWorld(path);
}
