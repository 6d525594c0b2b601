/** Inclusive at both ends. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

const onlyRange = /^\s*bytes\s*=\s*(\d*)-(\d*)\s*$/i;

/**
 * What a Range header asks of a file (RFC 9110 section 14).
 *
 * `whole`: the header is ignored and the answer is a 200. That is so for malformed ones and other units, as the RFC demands, and
 * for several ranges at once, as it allows: no browser sends them, and many small overlapping ones are a known attack
 * (section 17.15).
 */
export function parseByteRange(header: string, size: number): ByteRange | 'unsatisfiable' | 'whole' {
  const match = onlyRange.exec(header);
  if (match === null) return 'whole';
  const [, first = '', last = ''] = match;
  if (first === '' && last === '') return 'whole';
  if (first === '') {
    const length = Math.min(Number(last), size);
    return length === 0 ? 'unsatisfiable' : { start: size - length, end: size - 1 };
  }
  const start = Number(first);
  // All of an empty file, as players and downloads that are taken up again ask; it has no first byte to begin with.
  if (size === 0 && start === 0 && last === '') return 'whole';
  const end = last === '' ? size - 1 : Math.min(Number(last), size - 1);
  if (last !== '' && Number(last) < start) return 'whole';
  return start >= size ? 'unsatisfiable' : { start, end };
}
