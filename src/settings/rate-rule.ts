import type { Format } from './formats.js';

/** How often one client may ask for what. */
export interface RateRule {
  /** As it stands in the settings. */
  readonly text: string;
  /** Undefined: all. */
  readonly methods: readonly string[] | undefined;
  /** Given the path, decoded and without the query. */
  readonly isMeant: (path: string) => boolean;
  readonly perSecond: number;
  /** So many at once, after a pause. */
  readonly burst: number;
}

const loginPath =
  /(?:^|\/)(?:wp-)?(?:log|sign)[-_]?(?:in|on)(?:\.\w+)?\/*$|\/password[-_/]?(?:reset|forgot)\/*$/i;
/** One word for one rule, which counts each path that somebody logs in at together. */
const readyRules: Readonly<Record<string, Omit<RateRule, 'text'>>> = {
  login: {
    methods: ['POST'],
    isMeant: (path) => loginPath.test(path),
    perSecond: 10 / 60,
    burst: 10,
  },
};
const secondsIn: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600 };
const RULE = /^(?:([A-Z]+(?:\|[A-Z]+)*) +)?(\/\S*) +([1-9]\d{0,6})\/([smh])(?: +burst +([1-9]\d{0,6}))?$/;

/** `login`, or like `POST /api/* 30/m burst 5`; undefined for what is neither. */
export function readRateRule(text: string): RateRule | undefined {
  const ready = Object.hasOwn(readyRules, text) ? readyRules[text] : undefined;
  if (ready !== undefined) return { text, ...ready };
  const [, methods, pattern, count, unit = '', burst = count] = RULE.exec(text) ?? [];
  if (pattern === undefined) return undefined;
  return {
    text,
    methods: methods?.split('|'),
    isMeant: (path) => matchesPattern(path, pattern.split(/\*+/)),
    perSecond: Number(count) / (secondsIn[unit] as number),
    burst: Number(burst),
  };
}

/** One rule, or a list of them. As text: separated by commas. */
export const rateRules: Format<string | readonly string[]> = {
  allowed: 'a rule like "login" or "POST /api/* 30/m burst 5", or a list of rules',
  accepts: (value): value is string | readonly string[] =>
    [value].flat().every((rule) => typeof rule === 'string' && readRateRule(rule) !== undefined),
  read: (text) => (text.trim() === '' ? [] : text.split(',').map((rule) => rule.trim())),
};

// Private

/** A regular expression would take for ever over some paths, which clients choose. */
function matchesPattern(path: string, [start = '', ...rest]: readonly string[]): boolean {
  const end = rest.pop();
  if (end === undefined) return path === start;
  if (!path.startsWith(start) || !path.endsWith(end)) return false;
  let at = start.length;
  for (const part of rest) {
    const found = path.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return at <= path.length - end.length;
}
