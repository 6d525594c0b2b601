import type { SessionTie } from '../../contracts/upstream.js';
import type { Affinity } from '../../project/affinity.js';
import type { Exchange } from '../exchange.js';

/** Sees an answer on its way to the client. */
export interface AnswerWatcher {
  /** As AnswerSink takes it: status, then names and values, joined by NUL. */
  onHead(head: string): void;
  /** The first piece of the body, which may be the whole. */
  onBody(piece: Buffer): void;
}

/** Longer names are nobody's: a client could fill the table with them. */
const MAX_NAME_LENGTH = 512;

/** The handshake of engine.io's long polling; version 3 has the length before it (engine.io protocol, "handshake"). */
const handshake = /^(?:\d+:)?0\{[^}]*?"sid"\s*:\s*"([^"]+)"/;

/** The tie of a request; undefined for one that any process may have and that begins no session. */
export function tieRequest(
  exchange: Exchange,
  affinity: Affinity,
  watch: (watcher: AnswerWatcher) => void,
): SessionTie | undefined {
  if (affinity.kind === 'engine.io') return tieEngineIo(exchange, watch);
  const { headers } = exchange.request;
  const { name } = affinity;
  if (affinity.kind === 'cookie') {
    const session = limit(readCookie(headers.cookie, name));
    return { session, onceBegun: (tell) => watch(watchHead((head) => readSetCookie(head, name), tell)) };
  }
  const value = headers[name.toLowerCase()];
  const session = limit(typeof value === 'string' ? value : undefined);
  return { session, onceBegun: (tell) => watch(watchHead((head) => readHeader(head, name), tell)) };
}

// Private

/** Every request of the protocol has EIO (its version) in the query, all but the first one sid. */
function tieEngineIo({ query }: Exchange, watch: (watcher: AnswerWatcher) => void): SessionTie | undefined {
  if (!query.includes('EIO=')) return undefined;
  const parameters = new URLSearchParams(query);
  const session = limit(parameters.get('sid') ?? undefined);
  if (session !== undefined) return { session, onceBegun: () => {} };
  if (parameters.get('transport') !== 'polling') return undefined;
  return {
    session,
    onceBegun: (tell) =>
      watch({
        onHead: () => {},
        onBody(piece) {
          const [, sid] = handshake.exec(piece.toString('latin1')) ?? [];
          if (sid !== undefined) tell(sid);
        },
      }),
  };
}

function watchHead(
  read: (head: readonly string[]) => string | undefined,
  tell: (session: string) => void,
): AnswerWatcher {
  return {
    onHead(head) {
      const session = limit(read(head.split('\0')));
      if (session !== undefined) tell(session);
    },
    onBody: () => {},
  };
}

function readCookie(header: string | undefined, name: string): string | undefined {
  if (header === undefined) return undefined;
  for (const pair of header.split(';')) {
    const mark = pair.indexOf('=');
    if (pair.slice(0, mark).trim() === name) return pair.slice(mark + 1).trim();
  }
  return undefined;
}

function readSetCookie(head: readonly string[], name: string): string | undefined {
  for (let at = 1; at + 1 < head.length; at += 2) {
    if (head[at]?.toLowerCase() !== 'set-cookie') continue;
    const [pair] = (head[at + 1] as string).split(';');
    const value = readCookie(pair, name);
    if (value !== undefined) return value;
  }
  return undefined;
}

function readHeader(head: readonly string[], name: string): string | undefined {
  for (let at = 1; at + 1 < head.length; at += 2) {
    if (head[at]?.toLowerCase() === name.toLowerCase()) return head[at + 1];
  }
  return undefined;
}

function limit(session: string | undefined): string | undefined {
  return session === '' || (session?.length ?? 0) > MAX_NAME_LENGTH ? undefined : session;
}
