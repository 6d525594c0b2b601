import type { HttpChallenge } from '../contracts/tls-material.js';
import type { Handler } from './exchange.js';

const prefix = '/.well-known/acme-challenge/';

/**
 * Answers a certificate authority that asks over plain HTTP whether the name is ours (RFC 8555 section 8.3), and follows whoever
 * sends it on to HTTPS before us. Stands before every redirect; other tokens are left to those behind, for another ACME
 * client may use the same place.
 */
export function answerChallenge(challenges: readonly HttpChallenge[]): Handler {
  const answers = new Map(
    challenges.map(({ token, keyAuthorization }) => [prefix + token, keyAuthorization]),
  );
  return (exchange) => {
    const answer = answers.get(exchange.path);
    if (answer === undefined) return false;
    exchange.respond(200, ['Content-Type', 'application/octet-stream', 'Cache-Control', 'no-store'], answer);
    return true;
  };
}
