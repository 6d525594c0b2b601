/** Finds what belongs to the name that a client asks for: the name itself first, then a wildcard for its first label. */
export class ByServerName<T> {
  readonly #byName = new Map<string, T>();

  /**
   * @param list names in lower case; `*.example.com` stands for one label (RFC 9525 section 6.3). Of several that have a
   *   name the first one counts.
   */
  constructor(list: readonly { readonly names: readonly string[]; readonly value: T }[]) {
    for (const { names, value } of list) {
      for (const name of names) if (!this.#byName.has(name)) this.#byName.set(name, value);
    }
  }

  /** Lower case; the dot of the root at its end is forbidden (RFC 6066 section 3), but some clients send it. */
  find(serverName: string): T | undefined {
    const name = serverName.replace(/\.$/, '');
    const exact = this.#byName.get(name);
    if (exact !== undefined) return exact;
    const dot = name.indexOf('.');
    return dot < 1 ? undefined : this.#byName.get(`*${name.slice(dot)}`);
  }
}
