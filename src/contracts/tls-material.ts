/**
 * What the certificate side (tls/) and the fronts (front/, through site) agree on: plain data, so that it reaches a
 * throng worker as a message. At each change every site gets all of it.
 */

/** A certificate chain with its key, both PEM. */
export interface CertificateMaterial {
  /** Host names of the certificate, lower case; `*.example.com` stands for one label. */
  readonly names: readonly string[];
  readonly certificatePem: string;
  /** Not encrypted. */
  readonly keyPem: string;
}

/** What an ACME server asks for over plain HTTP (RFC 8555 section 8.3). */
export interface HttpChallenge {
  readonly token: string;
  readonly keyAuthorization: string;
}

export interface TlsMaterial {
  /** The first one that matches the name that the client asks for is used; the first of all where none matches. */
  readonly certificates: readonly CertificateMaterial[];
  /** Answered below /.well-known/acme-challenge/. */
  readonly httpChallenges: readonly HttpChallenge[];
  /** Answered to clients that offer only `acme-tls/1` (RFC 8737). */
  readonly alpnCertificates: readonly CertificateMaterial[];
  /** 48 bytes, base64, shared by all workers, so that a session that one began another resumes. */
  readonly ticketKeys: string;
  /** Names whose certificate browsers trust: no stand-in, and none for development. HTTP is sent on to HTTPS for these only. */
  readonly securedNames: readonly string[];
  /** What Strict-Transport-Security says for them; undefined: nothing. */
  readonly hstsMaxAgeSeconds: number | undefined;
  /** Where HTTPS is listened on. Visitors type another one where ports are forwarded (front/host-policy). */
  readonly publicPort: number;
}
