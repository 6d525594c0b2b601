import { reset, sequences } from './paint.js';

/**
 * Makes text that came from outside safe to stand in a log line, or before a person: it can end no line, move no cursor, and not
 * turn the reading direction of what follows.
 */

/** Colours, which applications write to their output; they are dropped, all other control sequences are shown. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: the sequences begin with ESC (ECMA-48 section 8.3.117).
const colours = /\u001b\[[0-9;:]*m/g;

/**
 * C0, DEL and C1; the line ends and direction marks of Unicode (UAX 9), which JSON.stringify leaves as they are; and what takes no
 * place at all, so that one name looks like another. Joiners (U+200C, U+200D) stay: scripts and emoji need them.
 */
const invisible = /[\p{Cc}\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff]/gu;

const isPlain = /^[\t -~]*$/;

/** For people: control characters except tab become \n, \x1b and so on. */
export function visibleText(text: string): string {
  if (isPlain.test(text)) return text;
  return text
    .replace(colours, '')
    .replace(invisible, (character) => names[character] ?? hexadecimal(character));
}

const isPlainLines = /^[\n\t -~]*$/;
/** What easyserve itself writes to a terminal, and every character that is not to get there. */
const ownOrInvisible = new RegExp(`(${sequences.source}|[\\n\\t])|${invisible.source}`, 'gu');

/** For all that is written to a person: lines and easyserve's own colours stay, every other control character becomes visible. */
export function visibleLines(text: string): string {
  if (isPlainLines.test(text)) return text;
  return text.replace(ownOrInvisible, (found, own?: string) => own ?? visibleText(found));
}

const ownSequences = new RegExp(`(${sequences.source})`, 'u');

/** One line with the colours of easyserve's own in it, for a terminal that shows them; the last one ends with the line. */
export function visibleColoured(line: string): string {
  const parts = line.split(ownSequences);
  const last = parts.at(-2);
  const end = last === undefined || last === reset ? '' : reset;
  return parts.map((part, index) => (index % 2 === 1 ? part : visibleText(part))).join('') + end;
}

const names: Readonly<Record<string, string>> = { '\t': '\t', '\n': '\\n', '\r': '\\r' };

function hexadecimal(character: string): string {
  const code = character.charCodeAt(0);
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : unicodeEscape(character);
}

function unicodeEscape(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

const needsNoEscape = /^[ !#-[\]-~]*$/;

/** A JSON string; quick for printable ASCII, which nearly every path, method and address is. */
export function jsonText(text: string): string {
  return needsNoEscape.test(text) ? `"${text}"` : visibleJson(JSON.stringify(text));
}

/** A value for programs, on several lines, with the same escapes as a log line. */
export function indentedJson(value: unknown): string {
  return JSON.stringify(value, null, 2).split('\n').map(visibleJson).join('\n');
}

/** `json` with everything escaped that JSON allows unescaped in strings and that a terminal may obey. */
export function visibleJson(json: string): string {
  return json.replace(invisible, unicodeEscape);
}
