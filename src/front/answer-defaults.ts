import type { Settings } from '../settings/settings.js';

/** Versions and comments of a Server header: they help attackers, and nobody else (RFC 9110 section 10.2.4). */
const details = /\/[^\s()]*|\s*\([^)]*\)/g;

/** What answers have where nothing else is said: headers, and pages for errors. One for all requests of a front. */
export interface AnswerDefaults {
  /** Names in lower case -> name and value. */
  readonly headers: ReadonlyMap<string, readonly [string, string]>;
  readonly passesServerHeader: boolean;
  /** Status, or `4xx`, `5xx`, `error` -> HTML (front/error-page). */
  readonly pages: ReadonlyMap<string, string>;
}

export const noDefaults: AnswerDefaults = { headers: new Map(), passesServerHeader: true, pages: new Map() };

export function answerDefaults(
  { securityHeaders, passServerHeader }: Pick<Settings, 'securityHeaders' | 'passServerHeader'>,
  pages: ReadonlyMap<string, string>,
): AnswerDefaults {
  const entries = Object.entries(securityHeaders);
  return {
    headers: new Map(entries.map(([name, value]) => [name.toLowerCase(), [name, value] as const])),
    passesServerHeader: passServerHeader,
    pages,
  };
}

/** For pages of an application that says by itself who may frame them, also by saying nothing. */
export function withoutFraming(defaults: AnswerDefaults): AnswerDefaults {
  const headers = new Map(defaults.headers);
  headers.delete('x-frame-options');
  return { ...defaults, headers };
}

/** The headers of an answer with those that it lacks, and without those that say too much. */
export function completeHeaders(headers: readonly string[], defaults: AnswerDefaults): string[] {
  const list: string[] = [];
  const missing = new Map(defaults.headers);
  for (let at = 0; at + 1 < headers.length; at += 2) {
    const name = headers[at] as string;
    const lower = name.toLowerCase();
    const isCut = lower === 'server' && !defaults.passesServerHeader;
    const value = isCut ? (headers[at + 1] as string).replace(details, '') : (headers[at + 1] as string);
    if (lower === 'x-powered-by' && !defaults.passesServerHeader) continue;
    missing.delete(lower);
    // It says who may frame the page, and counts more than X-Frame-Options (CSP Level 3, section 6.4.2).
    if (lower === 'content-security-policy' && /\bframe-ancestors\b/i.test(value))
      missing.delete('x-frame-options');
    list.push(name, value);
  }
  return missing.size === 0 ? list : [...[...missing.values()].flat(), ...list];
}
