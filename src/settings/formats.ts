/**
 * Strict formats for the schema. A value is taken exactly as it stands, or refused: "8080abc" is no port.
 *
 * `read` is for sources that only have text (environment, flags); values of files and of Django come typed and
 * pass `accepts` alone, so that `port = "8080"` in a file is an error.
 */
export interface Format<T> {
  /** What is allowed, to follow "must be". */
  readonly allowed: string;
  accepts(value: unknown): value is T;
  /** Text to value. What cannot be read comes back as it is, for `accepts` to refuse. */
  read(text: string): unknown;
  /** Formats that hold folders: makes relative ones absolute. */
  resolve?(value: T, projectDir: string): T;
}

/** The value with its folders made absolute; as it is where the format holds none, or refuses it. */
export function resolveFolders<T>(format: Format<T>, value: unknown, projectDir: string): unknown {
  return format.resolve !== undefined && format.accepts(value) ? format.resolve(value, projectDir) : value;
}

/** No leading zeros, which some languages take as octal; no sign but minus; no spaces. */
const wholeNumber = /^(?:0|-?[1-9][0-9]*)$/;

/** The longest delay that a Node timer keeps; a longer one fires at once (Node doc, setTimeout). */
const longestDelayMs = 2_147_483_647;

export function integer(min: number, max: number): Format<number> {
  return {
    allowed: `a whole number from ${min} to ${max}`,
    accepts: (value): value is number =>
      typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max,
    read: (text) => (wholeNumber.test(text) ? Number(text) : text),
  };
}

/** Milliseconds that a timer can wait. */
export function duration(minMs: number): Format<number> {
  return { ...integer(minMs, longestDelayMs), allowed: `a whole number of milliseconds from ${minMs}` };
}

export function size(minBytes: number): Format<number> {
  return {
    ...integer(minBytes, Number.MAX_SAFE_INTEGER),
    allowed: `a whole number of bytes from ${minBytes}`,
  };
}

/** true and false; as text also yes, no, 1 and 0. */
export const boolean: Format<boolean> = {
  allowed: 'true or false',
  accepts: (value) => typeof value === 'boolean',
  read(text) {
    const word = text.toLowerCase();
    if (word === 'true' || word === 'yes' || word === '1') return true;
    if (word === 'false' || word === 'no' || word === '0') return false;
    return text;
  },
};

export function oneOf<const T extends string>(...words: readonly T[]): Format<T> {
  return {
    allowed: words.map((word) => JSON.stringify(word)).join(' or '),
    accepts: (value): value is T => words.some((word) => word === value),
    read: (text) => text,
  };
}

/** The word "auto", or what `format` takes. */
export function autoOr<T>(format: Format<T>): Format<T | 'auto'> {
  return {
    allowed: `"auto" or ${format.allowed}`,
    accepts: (value): value is T | 'auto' => value === 'auto' || format.accepts(value),
    read: (text) => (text === 'auto' ? text : format.read(text)),
  };
}

/** null: not set. As text it is the empty text. */
export function nullable<T>(format: Format<T>): Format<T | null> {
  const { resolve } = format;
  return {
    allowed: format.allowed,
    accepts: (value): value is T | null => value === null || format.accepts(value),
    read: (text) => (text === '' ? null : format.read(text)),
    ...(resolve && {
      resolve: (value: T | null, projectDir: string) => (value === null ? null : resolve(value, projectDir)),
    }),
  };
}

/** Text that passes the test. `allowed` follows "must be". */
export function textThat(isAllowed: (text: string) => boolean, allowed: string): Format<string> {
  return {
    allowed,
    accepts: (value): value is string => typeof value === 'string' && isAllowed(value),
    read: (text) => text,
  };
}

/** Text that `pattern` matches whole. */
export function textLike(pattern: RegExp, allowed: string): Format<string> {
  return textThat((text) => pattern.test(text), allowed);
}

/** As text: separated by commas, and empty for none. */
export function listOf<T>(item: Format<T>, allowed: string): Format<readonly T[]> {
  const { resolve } = item;
  return {
    allowed,
    accepts: (value): value is readonly T[] =>
      Array.isArray(value) && value.every((each) => item.accepts(each)),
    read: (text) => (text.trim() === '' ? [] : text.split(',').map((part) => item.read(part.trim()))),
    ...(resolve && {
      resolve: (value: readonly T[], projectDir: string) => value.map((each) => resolve(each, projectDir)),
    }),
  };
}

/** A table whose names and values have formats of their own. As text: name=value pairs separated by commas. */
export function mapOf<T>(
  name: Format<string>,
  value: Format<T>,
  allowed: string,
): Format<Readonly<Record<string, T>>> {
  const { resolve } = value;
  return {
    allowed,
    accepts: (given): given is Readonly<Record<string, T>> =>
      isTable(given) &&
      Object.entries(given).every(([key, each]) => name.accepts(key) && value.accepts(each)),
    read: (text) => (text.trim() === '' ? {} : readPairs(text, value)),
    ...(resolve && {
      resolve: (given: Readonly<Record<string, T>>, projectDir: string) =>
        Object.fromEntries(Object.entries(given).map(([key, each]) => [key, resolve(each, projectDir)])),
    }),
  };
}

function readPairs(text: string, value: Format<unknown>): unknown {
  const pairs = text.split(',').map((pair) => {
    const mark = pair.indexOf('=');
    return mark < 0
      ? undefined
      : ([pair.slice(0, mark).trim(), value.read(pair.slice(mark + 1).trim())] as const);
  });
  const whole = pairs.filter((pair) => pair !== undefined);
  const isReadable =
    whole.length === pairs.length && new Set(whole.map(([key]) => key)).size === whole.length;
  return isReadable ? Object.fromEntries(whole) : text;
}

/** Any table, whatever it holds. As text: a JSON object. */
export const table: Format<Readonly<Record<string, unknown>>> = {
  allowed: 'a table of names and values',
  accepts: isTable,
  read(text) {
    try {
      return JSON.parse(text);
    } catch {
      return text; // not JSON, so refused by accepts
    }
  },
};

/** A plain object: no list, no date, nothing with a class. Parsers make some without a prototype. */
export function isTable(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}
