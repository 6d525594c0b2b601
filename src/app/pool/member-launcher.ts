import { join } from 'node:path';
import type { Clock } from '../../contracts/clock.js';
import type {
  PendingRequest,
  Upstream,
  UpstreamAddress,
  UpstreamObserver,
} from '../../contracts/upstream.js';
import type { Log } from '../../log/log.js';
import { AppProcess } from '../process/app-process.js';
import { readListeningPorts } from '../process/listening-ports.js';
import { OutOfMemoryKills } from '../process/out-of-memory.js';
import type { Kill, Spawn } from '../process/process-group.js';
import type { Connect } from '../process/readiness-poll.js';
import type { ApplicationServer } from '../servers/application-server.js';
import { PoolMember } from './pool-member.js';
import type { Release } from './release.js';
import { SecondPorts } from './second-ports.js';

/** The outside world of the application processes of a site. */
export interface MemberLauncherOptions<R extends PendingRequest> {
  readonly serverFor: (release: Release) => ApplicationServer;
  readonly spawn: Spawn;
  readonly kill: Kill;
  /** Opens a connection, to find out whether a process listens. */
  readonly reach: Connect;
  /** Makes the front's side of a process that is ready (front/upstream); it gets `concurrency` requests at a time. */
  readonly connect: (
    address: UpstreamAddress,
    concurrency: number,
    observer: UpstreamObserver<R>,
    isMultiprocess: () => boolean,
  ) => Upstream<R>;
  /** Where the application processes' sockets are made. */
  readonly runFolder: string;
  readonly clock: Clock;
  readonly log: Log;
  /** The ports on which a group of processes listens; default: as the system tells. */
  readonly readPorts?: (group: number) => Promise<readonly number[]>;
}

/** A request that was cut is of no more use than to tell why a process has ended: its member keeps it for that. */
export type MemberObserver<R extends PendingRequest> = Omit<UpstreamObserver<R>, 'onCut'>;

export interface MemberOptions<R extends PendingRequest> {
  readonly release: Release;
  readonly place: number;
  readonly restarts: number;
  readonly observer: MemberObserver<R>;
  /** Whether the application has several processes (`wsgi.multiprocess`); asked for each request, because scale() changes it. */
  readonly isMultiprocess: () => boolean;
  /** Somebody else sent it SIGTERM: it goes on serving, and asks for a successor. */
  readonly onTerminated: (member: PoolMember<R>) => void;
}

/** Starts application processes, each on a socket of its own. One for all generations of a site: it numbers the sockets. */
export class MemberLauncher<R extends PendingRequest> {
  readonly kills: OutOfMemoryKills;
  readonly #options: MemberLauncherOptions<R>;
  readonly #secondPorts: SecondPorts;
  #sockets = 0;

  constructor(options: MemberLauncherOptions<R>) {
    this.#options = options;
    const { readPorts = readListeningPorts, clock, log } = options;
    this.#secondPorts = new SecondPorts({ readPorts, clock, log });
    this.kills = new OutOfMemoryKills(options.clock);
  }

  launch({
    release,
    place,
    restarts,
    observer,
    isMultiprocess,
    onTerminated,
  }: MemberOptions<R>): PoolMember<R> {
    const { serverFor, spawn, kill, reach, connect, clock, log } = this.#options;
    const server = serverFor(release);
    const socketPath = this.#nextSocketPath();
    const startedAtMs = clock.now();
    const appProcess = new AppProcess({
      plan: server.plan(release, socketPath),
      socketPath,
      readyTimeoutMs: release.settings.readyTimeoutMs,
      ...{ spawn, kill, connect: reach, log, clock },
      onTerminated: () => onTerminated(member),
    });
    appProcess.ready().then(
      () => this.#secondPorts.watch(appProcess, release),
      () => {}, // whoever started it hears of it
    );
    const hold = (request: R): void => member.hold(request);
    const member = new PoolMember<R>({
      process: appProcess,
      connect: () =>
        connect(
          appProcess.address,
          server.concurrency(release),
          { ...observer, onLost: hold, onCut: hold },
          isMultiprocess,
        ),
      onLost: (request) => observer.onLost(request),
      ...{ release, place, restarts, startedAtMs, kills: this.kills, clock, log },
      startedAt: new Date().toISOString(),
    });
    return member;
  }

  // Private

  /** Begins with our pid, by which the sockets of a worker that was killed are found and removed. */
  #nextSocketPath(): string {
    this.#sockets += 1;
    return join(this.#options.runFolder, `${process.pid}-${this.#sockets}.sock`);
  }
}
