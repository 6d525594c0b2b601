import type { Clock } from '../../contracts/clock.js';
import type { PendingRequest, RequestFailure } from '../../contracts/upstream.js';
import type { Log } from '../../log/log.js';
import type { Generation } from './generation.js';
import type { PoolMember } from './pool-member.js';
import { RequestQueue } from './request-queue.js';

/** Of these the newest ones that were used. One takes about 100 bytes. */
const MOST_SESSIONS = 100_000;

/**
 * Where the requests of one session go that a process holds in its memory: to the place in the pool whose process began it, and when that
 * can take no more they wait for it. The successor of a process that has ended knows nothing of the session, and says so itself.
 *
 * A session of which nothing is known, because it began before a reload, goes to the place that its name alone decides (rendezvous
 * hashing), always the same while that has a process.
 */
export class SessionPlaces<R extends PendingRequest> {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #resend: (request: R) => void;
  readonly #places = new Map<string, number>();
  /** By place; what waits for a process that lives. */
  readonly #waiting = new Map<number, RequestQueue<R>>();

  /** `resend` takes a request that any process may have. */
  constructor(clock: Clock, log: Log, resend: (request: R) => void) {
    this.#clock = clock;
    this.#log = log;
    this.#resend = resend;
  }

  get queued(): number {
    let all = 0;
    for (const queue of this.#waiting.values()) all += queue.length;
    return all;
  }

  /** Sends the request, or lets it wait for its process; false when any process may have it. */
  admit(request: R, generation: Generation<R>): boolean {
    const member = this.#memberOf(request.tie?.session, generation);
    if (member === undefined) return false;
    const queue = this.#waiting.get(member.place);
    if (member.idle > 0 && (queue === undefined || queue.length === 0)) this.send(request, member);
    else this.#queueFor(member.place).add(request, generation.release.settings.queueRequests);
    return true;
  }

  /** Also keeps in mind where a session begins. */
  send(request: R, member: PoolMember<R>): void {
    const { place } = member;
    request.tie?.onceBegun((session) => this.#remember(session, place));
    member.send(request);
  }

  /** Something may have ended or become ready: sends what can be sent. */
  serve(generation: Generation<R> | undefined): void {
    if (this.#waiting.size === 0) return;
    const ready = new Map(listReady(generation).map((member) => [member.place, member]));
    for (const [place, member] of ready) {
      const queue = this.#waiting.get(place);
      while (member.idle > 0 && queue !== undefined && queue.length > 0) {
        const request = queue.take();
        if (request !== undefined) this.send(request, member);
      }
      if (queue?.length === 0) this.#waiting.delete(place);
    }
    this.#release([...this.#waiting.keys()].filter((place) => !ready.has(place)));
  }

  expire(timeoutMs: number): void {
    for (const queue of this.#waiting.values()) queue.expire(timeoutMs);
  }

  failAll(reason: RequestFailure): void {
    for (const queue of this.#waiting.values()) queue.failAll(reason);
    this.#waiting.clear();
  }

  /** Other processes serve, which know nothing of the sessions. */
  forgetAll(): void {
    this.#places.clear();
    this.#release([...this.#waiting.keys()]);
  }

  // Private

  #memberOf(session: string | undefined, generation: Generation<R>): PoolMember<R> | undefined {
    if (session === undefined) return undefined;
    const ready = listReady(generation);
    const place = this.#places.get(session);
    if (place === undefined) return chooseByName(session, ready);
    this.#remember(session, place);
    return ready.find((member) => member.place === place);
  }

  #remember(session: string, place: number): void {
    this.#places.delete(session); // the order of a Map is that in which its keys came
    this.#places.set(session, place);
    if (this.#places.size <= MOST_SESSIONS) return;
    for (const oldest of this.#places.keys()) {
      this.#places.delete(oldest);
      break;
    }
  }

  #queueFor(place: number): RequestQueue<R> {
    const present = this.#waiting.get(place);
    if (present !== undefined) return present;
    const queue = new RequestQueue<R>(this.#clock, this.#log);
    this.#waiting.set(place, queue);
    return queue;
  }

  /** All are taken out before the first is sent again: it may have to wait here again, at a place of the same number. */
  #release(places: readonly number[]): void {
    const released: R[] = [];
    for (const place of places) {
      const queue = this.#waiting.get(place);
      for (let request = queue?.take(); request !== undefined; request = queue?.take())
        released.push(request);
      this.#waiting.delete(place);
    }
    for (const request of released) this.#resend(request);
  }
}

// Private

function listReady<R extends PendingRequest>(generation: Generation<R> | undefined): PoolMember<R>[] {
  return [...(generation?.members ?? [])].filter(({ state, place }) => state === 'ready' && place >= 0);
}

/** Of every process the name and its place make a number; the highest wins, so that one that is gone moves nobody but its own. */
function chooseByName<R extends PendingRequest>(
  session: string,
  ready: readonly PoolMember<R>[],
): PoolMember<R> | undefined {
  let chosen: PoolMember<R> | undefined;
  let highest = -1;
  for (const member of ready) {
    const weight = hash(`${member.place} ${session}`);
    if (weight > highest) {
      highest = weight;
      chosen = member;
    }
  }
  return chosen;
}

/** FNV-1a with 32 bits (draft-eastlake-fnv), with the last step of MurmurHash3, as names of places differ in one letter. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) value = Math.imul(value ^ text.charCodeAt(at), 0x01000193);
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
}
