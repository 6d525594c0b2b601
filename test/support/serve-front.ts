import type { TestContext } from 'node:test';
import type { Handler } from '../../src/front/exchange.js';
import { Front } from '../../src/front/front.js';
import type { Settings } from '../../src/settings/settings.js';
import type { DescriptorLimit } from '../../src/sockets/descriptor-limit.js';
import { ListeningSocket } from '../../src/sockets/listening-socket.js';
import { defaultSettings } from './default-settings.js';
import { FakeClock } from './fake-clock.js';
import { makeBudget } from './make-spool.js';
import { type RawConnection, rawConnection } from './raw-connection.js';
import { RecordingLog } from './recording-log.js';

/** A real Front on a free port of this machine, with virtual time. Made by serveFront. */
export class ServedFront {
  readonly clock = new FakeClock();
  readonly log = new RecordingLog();
  readonly budget = makeBudget({ clock: this.clock });
  readonly front: Front;
  socket: ListeningSocket;
  readonly #t: TestContext;
  readonly #settings: Settings;

  constructor(t: TestContext, socket: ListeningSocket, settings: Settings, descriptors?: DescriptorLimit) {
    this.#t = t;
    this.socket = socket;
    this.#settings = settings;
    this.front = new Front(settings, this.clock, this.log, this.budget, descriptors);
  }

  configure(handlers: readonly Handler[], changed: Partial<Settings> = {}): void {
    this.front.configure({ ...this.#settings, ...changed }, handlers);
  }

  /** From an address of this machine, if one is given. */
  connect(from?: string): Promise<RawConnection> {
    return rawConnection(this.#t, this.socket.url, from);
  }

  /** Sends it on a connection of its own, and gives what comes until the server closes. */
  async exchange(request: string): Promise<string> {
    const connection = await this.connect();
    connection.send(request);
    return connection.readToEnd();
  }
}

/** Serves until the test ends. */
export async function serveFront(
  t: TestContext,
  handlers: readonly Handler[],
  changed: Partial<Settings> = {},
  { host = '127.0.0.1', descriptors }: { host?: string; descriptors?: DescriptorLimit } = {},
): Promise<ServedFront> {
  const socket = await ListeningSocket.bind(host, 0);
  const served = new ServedFront(t, socket, defaultSettings(changed), descriptors);
  served.configure(handlers);
  await served.front.listen('http', socket.handle);
  t.after(async () => {
    served.front.closeConnections();
    await served.front.drain(0);
  });
  return served;
}
