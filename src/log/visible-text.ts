/**
 * Makes text that came from outside safe to stand in a log line: it can end no line, move no cursor, and not turn the
 * reading direction of what follows.
 */

/** Colours, which applications write to their output; they are dropped, all other control sequences are shown. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: the sequences begin with ESC (ECMA-48 section 8.3.117).
const colours = /\u001b\[[0-9;:]*m/g;

/** C0, DEL and C1; the line ends and direction marks of Unicode (UAX 9), which JSON.stringify leaves as they are. */
const invisible = /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu;

const isPlain = /^[\t -~]*$/;

/** For people: control characters except tab become \n, \x1b and so on. */
export function visibleText(text: string): string {
  if (isPlain.test(text)) return text;
  return text
    .replace(colours, '')
    .replace(invisible, (character) => names[character] ?? hexadecimal(character));
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

/** `json` with everything escaped that JSON allows unescaped in strings and that a terminal may obey. */
export function visibleJson(json: string): string {
  return json.replace(invisible, unicodeEscape);
}
