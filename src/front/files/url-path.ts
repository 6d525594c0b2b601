/** What makes a path need a closer look: an escape, a backslash, NUL, a raw byte, or a segment '', '.' or '..'. */
const suspicious = /[%\\\0\x80-\xff]|\/\.{0,2}(?:\/|$)/;
const emptyOrDotSegment = /\/\.{0,2}(?:\/|$)/;
const encodedSeparator = /%(?:2f|5c)/i;
const rawByte = /[\x80-\xff]/g;

/**
 * The decoded path, safe to look up below a root: it begins with a slash, and no segment is empty, '.' or
 * '..'. A number is the status to refuse it with. 400: not a path at all (broken escape, invalid UTF-8, NUL).
 * 404: well-formed, but a name that no file can have: an encoded slash would be read as two names if it
 * were decoded a second time, and a trailing slash names a folder.
 */
export function decodeUrlPath(path: string): string | 400 | 404 {
  if (!suspicious.test(path)) return path;
  let decoded: string;
  try {
    // Node hands over bytes above 0x7F, sent raw by clients such as curl, as latin-1 characters.
    decoded = decodeURIComponent(path.replace(rawByte, (byte) => `%${byte.charCodeAt(0).toString(16)}`));
  } catch {
    return 400;
  }
  if (decoded.includes('\0')) return 400;
  if (encodedSeparator.test(path) || decoded.includes('\\')) return 404;
  return emptyOrDotSegment.test(decoded) ? 404 : decoded;
}

/** Whether a path, as sent, lies under a prefix such as `/static/`, itself written without escapes. */
export function pathMatcher(prefix: string): (path: string) => boolean {
  const encoded = encodeURI(prefix);
  if (encoded === prefix) return (path) => path.startsWith(prefix);
  return (path) => path.startsWith(encoded) || path.startsWith(prefix);
}

/** An address below a prefix of files that is left to the application. */
export interface LeftAddress {
  /** Decoded: what it begins with, and what comes later in it, in this order, with anything between. */
  readonly pieces: readonly string[];
  /** It ends with the last piece. */
  readonly isExact: boolean;
}

/**
 * Whether a request is left to the application; `decoded` is what decodeUrlPath made of the path. One that it refuses is no
 * file in any case, and left as it was sent: with a trailing slash, say.
 */
export function leftMatcher(
  except: readonly LeftAddress[] = [],
): (path: string, decoded: string | number) => boolean {
  if (except.length === 0) return () => false;
  return (path, decoded) => {
    const asked = typeof decoded === 'string' ? decoded : path;
    return except.some((address) => fits(asked, address));
  };
}

/** Whether some segment begins with a dot. Never served, because `.git` and `.env` end up in such folders by accident. */
export function isHidden(path: string): boolean {
  return path.startsWith('.') || path.includes('/.');
}

// Private

/** The first place of each piece leaves the most to the next, so one pass is enough. */
function fits(asked: string, { pieces, isExact }: LeftAddress): boolean {
  const [first = '', ...more] = pieces;
  if (!asked.startsWith(first)) return false;
  const last = isExact ? more.pop() : '';
  if (last === undefined) return asked === first;
  let end = first.length;
  for (const piece of more) {
    const start = asked.indexOf(piece, end);
    if (start < 0) return false;
    end = start + piece.length;
  }
  return asked.endsWith(last) && asked.length - last.length >= end;
}
