import { type Asking, ask, type HttpAnswer } from './http-client.js';

/** A person at a browser: keeps cookies, and sends forms back with the token that came with them. */
export class Visitor {
  readonly #baseUrl: string;
  readonly #cookies = new Map<string, string>();

  constructor(baseUrl: string) {
    this.#baseUrl = baseUrl;
  }

  cookie(name: string): string | undefined {
    return this.#cookies.get(name);
  }

  get(path: string): Promise<HttpAnswer> {
    return this.#ask(path, {});
  }

  /** Fetches the form at `path`, fills it in and posts it there; a File makes it multipart/form-data. */
  async submit(path: string, fields: Readonly<Record<string, string | File>>): Promise<HttpAnswer> {
    const page = await this.get(path);
    const token = /name="csrfmiddlewaretoken" value="(\w+)"/.exec(page.text)?.[1];
    if (token === undefined)
      throw new Error(`no form at ${path}: ${page.status}\n${page.text.slice(0, 500)}`);
    const { type, body } = await encodeForm({ csrfmiddlewaretoken: token, ...fields });
    return this.#ask(path, { method: 'POST', headers: { 'Content-Type': type }, body });
  }

  /** Without the token of a form: what a forged request would be. */
  post(path: string, body: string): Promise<HttpAnswer> {
    const headers = { 'Content-Type': 'application/x-www-form-urlencoded' };
    return this.#ask(path, { method: 'POST', headers, body });
  }

  async #ask(path: string, asking: Asking): Promise<HttpAnswer> {
    const cookies = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const headers = { ...asking.headers, ...(cookies === '' ? {} : { Cookie: cookies }) };
    const answer = await ask(this.#baseUrl, path, { ...asking, headers });
    for (const line of answer.valuesOf('set-cookie')) this.#keep(line);
    return answer;
  }

  #keep(line: string): void {
    const [pair = ''] = line.split(';');
    const equals = pair.indexOf('=');
    const name = pair.slice(0, equals).trim();
    if (/;\s*max-age=0/i.test(line)) this.#cookies.delete(name);
    else this.#cookies.set(name, pair.slice(equals + 1).trim());
  }
}

/** As a browser would: with the platform's own encoders. */
async function encodeForm(
  fields: Readonly<Record<string, string | File>>,
): Promise<{ type: string; body: Buffer }> {
  const hasFile = Object.values(fields).some((value) => typeof value !== 'string');
  const form = hasFile ? new FormData() : new URLSearchParams();
  for (const [name, value] of Object.entries(fields)) {
    if (typeof value === 'string') form.append(name, value);
    else (form as FormData).append(name, value, value.name);
  }
  const encoded = new Response(form);
  return {
    type: encoded.headers.get('content-type') ?? '',
    body: Buffer.from(await encoded.arrayBuffer()),
  };
}
