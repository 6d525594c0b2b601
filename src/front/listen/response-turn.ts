import type { ServerResponse } from 'node:http';

/**
 * Calls back once the response may be written: at once, or, for a pipelined request, when the answers before
 * it are out. Used by whoever listens for requests, before anything is done for one.
 *
 * Node hands over pipelined requests at once, but their responses have no socket yet, and when the connection
 * breaks before they get one they never emit `close` (seen in Node 20): whatever waits for that would be held
 * for ever.
 */
export function whenItsTurn(response: ServerResponse, callback: () => void): void {
  if (response.socket === null) response.once('socket', callback);
  else callback();
}
