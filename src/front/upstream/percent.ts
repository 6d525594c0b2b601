/**
 * Percent-decodes a path into the "bytes as latin-1" form of PEP 3333 (section "Unicode Issues").
 *
 * Used for PATH_INFO. A malformed escape stays as it is, as Python's urllib.parse.unquote_to_bytes leaves it.
 */
export function decodeToLatin1(path: string): string {
  if (!path.includes('%')) return path;
  return path.replace(/%([0-9a-fA-F]{2})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 16)),
  );
}

/** Text from the settings in the same form, so that it can be compared with a path. */
export function encodeToLatin1(text: string): string {
  return text === '' ? text : Buffer.from(text, 'utf8').toString('latin1');
}
