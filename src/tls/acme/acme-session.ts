import acme from 'acme-client';
import { type KeyType, makePrivateKey } from '../make-private-key.js';
import { AcmeError, hostOf } from './acme-error.js';
import { describeRefusal, directoryHint, parseJson, readProblem } from './acme-problem.js';
import type { CaAnswer, CaConnection } from './ca-connection.js';

export interface AcmeOrder {
  readonly url: string;
  readonly status: string;
  readonly authorizations: readonly string[];
  readonly finalize: string;
  readonly certificate?: string | undefined;
  /** A problem document. */
  readonly error?: unknown;
}

export interface AcmeChallenge {
  readonly type: string;
  readonly url: string;
  readonly token: string;
  readonly status: string;
  readonly error?: unknown;
}

export interface AcmeAuthorization {
  readonly identifier: { readonly value: string };
  readonly status: string;
  readonly challenges: readonly AcmeChallenge[];
}

export interface AccountTerms {
  readonly email: string | null;
  readonly agreesToTerms: boolean;
}

export interface AcmeSessionOptions {
  readonly directoryUrl: string;
  readonly accountKeyPem: string;
  /** Known from an earlier registration. */
  readonly accountUrl: string | undefined;
  /** External account binding: RFC 8555 section 7.3.4. */
  readonly eab: { readonly keyId: string; readonly hmacKey: string } | undefined;
  readonly connection: CaConnection;
  readonly wallNow: () => number;
}

/** What acme-client reads of an answer. */
interface ClientAnswer {
  readonly status: number;
  readonly headers: CaAnswer['headers'];
  readonly data: unknown;
}

/** The field of acme.Client that its types leave out: everything that it sends goes through this one method. */
interface ClientTransport {
  readonly http: {
    request(url: string, method: string, options?: { readonly data?: unknown }): Promise<ClientAnswer>;
  };
}

/**
 * One conversation with an ACME directory (RFC 8555), and the only import of acme-client. Every method throws AcmeError and
 * nothing else.
 *
 * Of acme-client the signatures, nonces and certificate requests are used, but neither its waiting, which can't be cancelled, nor
 * its HTTP: one axios for the whole process, which retries for minutes. Each session's client sends by a CaConnection.
 */
export class CaSession {
  readonly #client: acme.Client;
  readonly #options: AcmeSessionOptions;

  constructor(options: AcmeSessionOptions) {
    const { directoryUrl, accountKeyPem, accountUrl, eab } = options;
    this.#options = options;
    this.#client = new acme.Client({
      directoryUrl,
      accountKey: accountKeyPem,
      ...(accountUrl !== undefined && { accountUrl }),
      ...(eab !== undefined && { externalAccountBinding: { kid: eab.keyId, hmacKey: eab.hmacKey } }),
    });
    const { http } = this.#client as unknown as ClientTransport;
    http.request = (url, method, { data } = {}) => this.#send(url, method, data);
  }

  /** The account's URL, registered where it is not yet. */
  async register({ email, agreesToTerms }: AccountTerms): Promise<string> {
    if (this.#options.accountUrl !== undefined) return this.#options.accountUrl;
    return this.#converse(async () => {
      await this.#client.createAccount({
        termsOfServiceAgreed: agreesToTerms,
        ...(email !== null && { contact: [`mailto:${email}`] }),
      });
      return this.#client.getAccountUrl();
    });
  }

  async createOrder(names: readonly string[], replaces: string | undefined): Promise<AcmeOrder> {
    const identifiers = names.map((value) => ({ type: 'dns', value }));
    // RFC 9773 section 5; acme-client passes the field on, although its type lacks it.
    const request = replaces === undefined ? { identifiers } : { identifiers, replaces };
    return this.#converse(async () => checkedOrder(await this.#client.createOrder(request)));
  }

  async readOrder(order: AcmeOrder): Promise<AcmeOrder> {
    return this.#converse(async () => checkedOrder(await this.#client.getOrder(order as acme.Order)));
  }

  async readAuthorizations(order: AcmeOrder): Promise<readonly AcmeAuthorization[]> {
    return this.#converse(async () => {
      const found = await this.#client.getAuthorizations(order as acme.Order);
      return found.map(checkedAuthorization);
    });
  }

  async keyAuthorization(challenge: AcmeChallenge): Promise<string> {
    return this.#client.getChallengeKeyAuthorization(toClientChallenge(challenge));
  }

  /** The certificate of RFC 8737 and its key, PEM. */
  async alpnCertificate(
    name: string,
    keyAuthorization: string,
  ): Promise<{ certificatePem: string; keyPem: string }> {
    const keyPem = await makePrivateKey('ecdsa');
    const authorization = { identifier: { type: 'dns', value: name } } as acme.Authorization;
    const [, certificate] = await acme.crypto.createAlpnCertificate(authorization, keyAuthorization, keyPem);
    return { certificatePem: certificate.toString(), keyPem };
  }

  async completeChallenge(challenge: AcmeChallenge): Promise<void> {
    await this.#converse(() => this.#client.completeChallenge(toClientChallenge(challenge)));
  }

  /** Sends the certificate request with a new key; resolves with that key, PEM. */
  async finalize(order: AcmeOrder, names: readonly string[], keyType: KeyType): Promise<string> {
    const keyPem = await makePrivateKey(keyType);
    const [, request] = await acme.crypto.createCsr({ altNames: [...names] }, keyPem);
    await this.#converse(() => this.#client.finalizeOrder(order as acme.Order, request));
    return keyPem;
  }

  /** PEM chain. */
  async readCertificate(order: AcmeOrder): Promise<string> {
    return this.#converse(() => this.#client.getCertificate(order as acme.Order));
  }

  // Private

  async #send(url: string, method: string, data: unknown): Promise<ClientAnswer> {
    const { connection, wallNow } = this.#options;
    // RFC 8555 section 6.2.
    const headers = { 'Content-Type': 'application/jose+json' };
    const body = data === undefined ? undefined : JSON.stringify(data);
    const answer = await connection.ask({ method, url, headers, body });
    const json = parseJson(answer.body);
    // A rejected nonce is repeated by acme-client itself (RFC 8555 section 6.5).
    const isBadNonce = readProblem(json)?.type === 'badNonce';
    if (answer.status >= 300 && !isBadNonce) throw describeRefusal(answer, url, wallNow());
    return { status: answer.status, headers: answer.headers, data: json ?? answer.body };
  }

  /** acme-client throws errors of its own only for answers that it can't read, such as TypeErrors for what is missing. */
  async #converse<T>(talk: () => Promise<T>): Promise<T> {
    try {
      return await talk();
    } catch (error) {
      if (error instanceof AcmeError) throw error;
      const detail = error instanceof Error ? error.message : String(error);
      const host = hostOf(this.#options.directoryUrl);
      throw new AcmeError('acme-ca-garbage', `${host} does not answer as a certificate authority does.`, {
        hint: directoryHint,
        detail,
        cause: error,
      });
    }
  }
}

/** What an order needs of it; unit tests replace it. */
export type AcmeSession = Pick<CaSession, keyof CaSession>;

// Private

function checkedOrder(order: acme.Order): AcmeOrder {
  const { url, status, authorizations, finalize } = order;
  const isWhole = isText(url) && isText(status) && isText(finalize) && Array.isArray(authorizations);
  if (!isWhole || !authorizations.every(isText)) throw new Error('the order is none');
  return order;
}

function checkedAuthorization(given: acme.Authorization): AcmeAuthorization {
  const { identifier, status, challenges } = given;
  if (!isText(identifier?.value) || !isText(status) || !Array.isArray(challenges)) {
    throw new Error('the authorization is none');
  }
  return { identifier, status, challenges: challenges as readonly AcmeChallenge[] };
}

/** The types of acme-client lack tls-alpn-01, which its code knows. */
function toClientChallenge(challenge: AcmeChallenge): Parameters<acme.Client['completeChallenge']>[0] {
  return challenge as Parameters<acme.Client['completeChallenge']>[0];
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}
