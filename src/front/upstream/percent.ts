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
