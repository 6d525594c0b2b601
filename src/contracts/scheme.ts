/** What is spoken on a socket. */
export type Scheme = 'http' | 'https';

/** The ports that a URL of the scheme leaves out (RFC 9110 sections 4.2.1 and 4.2.2). */
export const defaultPorts: Readonly<Record<Scheme, number>> = { http: 80, https: 443 };
